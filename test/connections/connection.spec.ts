import type { Connection } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { Frame } from '../../lib/connections/frame.js';
import { encodeMessage } from '../../lib/protocol/codec.js';
import type { Delivery } from '../../lib/protocol/delivery.js';
import { openLobby } from '../gateway/lobby.js';

const DELIVERIES: readonly Delivery[] = ['volatile', 'live', 'recoverable'];
const said = (text: string, channel?: string, position?: string) =>
  new Frame(encodeMessage('said', { text }), channel, position);
const message = (text: string, channel: string, position: string) => ({
  type: 'said',
  payload: { text },
  channel,
  position,
});

describe('a Connection', () => {
  it('sends frames of every delivery with their channel and position', async () => {
    const { app, visits } = await openLobby();
    const client = await app.connect('/lobby');
    const connection = visits.connected[0] as Connection;
    for (const delivery of DELIVERIES) {
      expect(connection.sendFrame(said(delivery, 'user', `e:1:${delivery}`), delivery)).toBe('sent');
      expect(await client.nextOfType('said')).toEqual(message(delivery, 'user', `e:1:${delivery}`));
    }
  });

  it('holds the frames of a channel while its recovery is sent, and drops what the recovery has sent', async () => {
    const { app, visits } = await openLobby();
    const client = await app.connect('/lobby');
    const connection = visits.connected[0] as Connection;
    connection.hold('room:1');
    for (const n of [2, 3, 4]) connection.sendFrame(said(`live ${n}`, 'room:1', `e:${n}:x`), 'recoverable');
    connection.sendFrame(said('other', 'room:2', 'e:9:y'), 'live');
    for (const n of [1, 2, 3]) connection.sendText(said(`recovered ${n}`, 'room:1', `e:${n}:x`).text);
    connection.release('room:1', 'e:3:x');
    connection.sendFrame(said('live 5', 'room:1', 'e:5:x'), 'recoverable');
    const texts: { text: string }[] = [];
    for (let i = 0; i < 6; i++) texts.push((await client.nextOfType('said')).payload as { text: string });
    expect(texts.map(({ text }) => text)).toEqual([
      'other',
      'recovered 1',
      'recovered 2',
      'recovered 3',
      'live 4',
      'live 5',
    ]);
  });

  it('sends what it held of a channel before $hello only after $hello', async () => {
    const { app, visits } = await openLobby();
    visits.onConnect = (connection) => {
      connection.hold('room:1');
      for (const n of [1, 2]) connection.sendFrame(said(`live ${n}`, 'room:1', `e:${n}:x`), 'recoverable');
      connection.release('room:1', 'e:1:x');
    };
    const client = await app.connect('/lobby');
    // `connect` has read `$hello`, which is the first frame.
    expect(await client.next()).toEqual(message('live 2', 'room:1', 'e:2:x'));
  });

  it('closes with 4413 when a held channel gets more than may wait', async () => {
    const { app, visits } = await openLobby();
    const client = await app.connect('/lobby');
    const connection = visits.connected[0] as Connection;
    connection.hold('room:1');
    const outcomes = Array.from({ length: 20 }, () =>
      connection.sendFrame(said('x'.repeat(100_000), 'room:1'), 'live'),
    );
    expect([outcomes.indexOf('closed'), connection.isOpen]).toEqual([10, false]);
    expect(await client.closed).toMatchObject({ code: 4413 });
  });
});
