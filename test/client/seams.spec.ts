import { afterEach, describe, expect, it } from 'vitest';
import {
  CoreClient,
  RealtimeClient,
  type RealtimeClientOptions,
  type Reconnecting,
} from '../../lib/client/index.js';
import type { ServerFrame } from '../../lib/client/client-connection.js';
import { Positions } from '../../lib/client/positions.js';
import { ManualClock } from '../rig/clock/manual-clock.js';
import { SocketDoubles, type SocketDouble } from './socket-double.js';
import { Testbed, type AnyTalk } from './testbed.js';

let bed: Testbed;
afterEach(() => {
  bed.client.close();
  expect(bed.clock.pending, 'timers that were left').toBe(0);
});

/** Loses a connection and opens the next one, not greeted yet. */
async function lost(socket: SocketDouble): Promise<SocketDouble> {
  socket.end();
  await bed.clock.advance((bed.client.state as Reconnecting).retryInMs);
  const next = await bed.sockets.newest();
  next.open();
  return next;
}

const resumed = (socket: SocketDouble) => socket.ofType('$resume')[0]?.payload as Record<string, unknown>;
const news = (channel: unknown, position: unknown) =>
  JSON.stringify({ type: 'news', payload: {}, channel, position });

describe('a protocol message', () => {
  const record = (frames: ServerFrame[]) => (frame: ServerFrame) => void frames.push(frame);

  it.each([
    [
      'RealtimeClient',
      (frames: ServerFrame[], options: RealtimeClientOptions) =>
        new (class extends RealtimeClient<AnyTalk> {
          constructor() {
            super('ws://test/ws', options);
            this.handlers.set('$probe', record(frames));
          }
        })(),
    ],
    [
      'CoreClient',
      (frames: ServerFrame[], options: RealtimeClientOptions) =>
        new (class extends CoreClient<AnyTalk> {
          constructor() {
            super('ws://test/ws', options);
            this.handlers.set('$probe', record(frames));
          }
        })(),
    ],
  ])('of a %s is an entry in its handlers; one without an entry is ignored', async (_, create) => {
    bed = new Testbed();
    const sockets = new SocketDoubles();
    const frames: ServerFrame[] = [];
    const clock = new ManualClock();
    const client = create(frames, { WebSocket: sockets.WebSocket, clock });
    void client.connect();
    const socket = await sockets.newest();
    socket.accept();
    const received: string[] = [];
    for (const type of ['$probe', '$other', 'pong']) client.on(type, () => received.push(type));
    socket.deliver('$probe', { n: 1 });
    socket.deliver('$other', { n: 2 });
    socket.deliver('pong');
    expect(frames).toEqual([{ type: '$probe', payload: { n: 1 } }]);
    expect(received).toEqual([]);
    client.close();
    expect(clock.pending).toBe(0);
  });
});

describe('$resume', () => {
  it('offers the newest position of each channel', async () => {
    bed = new Testbed();
    const socket = await bed.connected({ sessionId: 'mine' });
    socket.deliverText(news('user', 'e:1'));
    socket.deliverText(news('room:a', 'e:5'));
    socket.deliverText(news('user', 'e:2'));
    for (const [channel, position] of [
      ['all', 7],
      [8, 'e:8'],
      [undefined, 'e:9'],
    ])
      socket.deliverText(news(channel, position));
    const next = await lost(socket);
    expect(resumed(next)['positions']).toEqual({ user: 'e:2', 'room:a': 'e:5' });
  });

  it('offers no position that a late copy on the old connection would set back', async () => {
    bed = new Testbed();
    const old = await bed.connected({ sessionId: 'mine' });
    old.deliver('$goaway', { reconnectAfterMs: 0 });
    await bed.clock.advance(0);
    const socket = await bed.sockets.newest();
    socket.accept({ sessionId: 'mine', connectionId: 'c2' });
    for (const position of ['e:1', 'e:2']) socket.deliverText(news('user', position));
    old.deliverText(news('user', 'e:1'));
    expect(resumed(await lost(socket))['positions']).toEqual({ user: 'e:2' });
  });

  it('offers no position of another session', async () => {
    bed = new Testbed();
    const socket = await bed.connected({ sessionId: 'mine' });
    socket.deliverText(news('user', 'e:1'));
    const next = await lost(socket);
    next.deliver('$error', { code: 'VALIDATION_FAILED', message: '' }, '$resume');
    next.hello({ sessionId: 'other', connectionId: 'c2' });
    expect(resumed(await lost(next))).toEqual({
      sessionId: 'other',
      connectionIds: ['c2'],
      positions: {},
    });
  });

  it('names the last eight connections of the session, newest first', async () => {
    bed = new Testbed();
    let socket = await bed.connected({ sessionId: 'mine', connectionId: 'c0' });
    for (let n = 1; n <= 9; n++) {
      socket = await lost(socket);
      socket.hello({ sessionId: 'mine', connectionId: `c${n}` });
    }
    const ids = resumed(await lost(socket))['connectionIds'];
    expect(ids).toEqual(['c9', 'c8', 'c7', 'c6', 'c5', 'c4', 'c3', 'c2']);
  });

  it('begins anew after close() and connect()', async () => {
    bed = new Testbed();
    (await bed.connected({ sessionId: 'mine' })).deliverText(news('user', 'e:1'));
    bed.client.close();
    const socket = await bed.connected({ sessionId: 'other', connectionId: 'c2' });
    expect(resumed(socket)).toBeUndefined();
    expect(resumed(await lost(socket))).toEqual({
      sessionId: 'other',
      connectionIds: ['c2'],
      positions: {},
    });
  });
});

it('positions hold 102 channels and drop the one that was silent longest', () => {
  bed = new Testbed();
  const positions = new Positions();
  const update = (channel: string, position: string) => positions.update({ channel, position });
  update('user', '0');
  for (let n = 0; n < 102; n++) {
    update(`room:${n}`, String(n));
    update('user', String(n));
  }
  const kept = positions.toJSON();
  expect(Object.keys(kept)).toHaveLength(102);
  expect([kept['room:0'], kept['room:1'], kept['user']]).toEqual([undefined, '1', '101']);
});
