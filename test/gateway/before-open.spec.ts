import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { clientFrame, upgradeText } from '../rig/sockets/client-bytes.js';
import { Gate } from '../rig/clock/gate.js';
import { openLobby } from './lobby.js';
import { tcpConnection } from '../rig/sockets/upgrade-request.js';

const message = (type: string, id: number, payload: unknown) =>
  clientFrame(JSON.stringify({ type, id, payload }));
const say = (id: number) => message('say', id, { text: `text ${id}` });

/** The types of the frames that a socket has received, with their ids. */
function framesIn(read: string): string[] {
  return [...read.matchAll(/"type":"([$\w]+)"(?:,"id":(\d+))?/g)].map(
    ([, type, id]) => `${type}${id ? ` ${id}` : ''}`,
  );
}

/** Collects what a socket receives, and resolves when that contains a text. */
function reader(socket: Socket) {
  let read = '';
  const waiting = new Map<string, () => void>();
  socket.on('data', (data) => {
    read += data.toString('latin1');
    for (const [text, resolve] of waiting) if (read.includes(text)) resolve();
  });
  return {
    frames: () => framesIn(read),
    until: (text: string) =>
      new Promise<void>((resolve) => {
        if (read.includes(text)) resolve();
        else waiting.set(text, resolve);
      }),
  };
}

/** An app with a hook that waits for the test, and a client that sends frames in its first segment. */
async function eagerClient(authenticates: boolean, frames: readonly Buffer[]) {
  const authenticated = new Gate();
  const authenticating = new Gate();
  const entered = new Gate();
  const hook = new Gate();
  const lobby = await openLobby(
    authenticates
      ? {
          authenticate: ({ token }) => {
            authenticating.open();
            return authenticated.opened.then(() => (token === undefined ? null : { userId: token }));
          },
        }
      : {},
  );
  lobby.visits.onConnect = async (connection) => {
    entered.open();
    await hook.opened;
    await connection.join('floor');
  };
  const socket = tcpConnection(lobby.app.port);
  const received = reader(socket);
  socket.write(Buffer.concat([Buffer.from(upgradeText()), ...frames]));
  return { ...lobby, socket, received, authenticated, authenticating, entered, hook };
}

describe('frames in the same TCP segment as the upgrade', () => {
  it('wait for a slow handleConnection: nothing is handled, joined or delivered before', async () => {
    const { visits, registry, broadcaster, received, entered, hook } = await eagerClient(false, [
      say(1),
      say(2),
    ]);
    await entered.opened;
    await received.until('101 Switching');
    // After a round trip of another client, the first one's frames have been read.
    await broadcaster.broadcast({ type: 'said', payload: { text: 'early' } });
    await broadcaster.sendToRoom('floor', { type: 'said', payload: { text: 'never' } });
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(visits.messages).toEqual([]);
    expect(registry.inRoom('floor')).toEqual([]);
    expect(received.frames()).toEqual([]);
    hook.open();
    await received.until('"id":2');
    expect(received.frames()).toEqual(['$hello', 'said', '$reply 1', '$reply 2']);
    expect(registry.inRoom('floor')).toHaveLength(1);
  });

  it('wait for the first $auth and then for the hook; without it they are UNAUTHENTICATED', async () => {
    const frames = [say(1), message('$auth', 2, { token: 'ann' }), say(3)];
    const { visits, registry, received, authenticating, authenticated, entered, hook } = await eagerClient(
      true,
      frames,
    );
    await authenticating.opened;
    expect(registry.size).toBe(0);
    authenticated.open();
    await entered.opened;
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(visits.messages).toEqual([]);
    expect(received.frames()).toEqual(['$error 1', '$reply 2']);
    hook.open();
    await received.until('"id":3');
    expect(received.frames()).toEqual(['$error 1', '$reply 2', '$hello', '$reply 3']);
    expect(visits.messages).toEqual(['text 3']);
  });

  it('of a client that is refused are never handled', async () => {
    const { visits, received, authenticated, socket } = await eagerClient(true, [
      message('$auth', 1, { token: '' }),
      say(2),
      message('$auth', 3, { token: 'x'.repeat(9_000) }),
      say(4),
    ]);
    authenticated.open();
    await received.until('"id":4');
    expect(received.frames()).toEqual(['$error 1', '$error 2', '$error 3', '$error 4']);
    expect([visits.messages, visits.connected]).toEqual([[], []]);
    socket.destroy();
  });
});

describe('before a client is authenticated', () => {
  it('broadcasts, messages to its room and disconnects by user do not reach it', async () => {
    const { app, broadcaster, registry, metrics } = await openLobby({
      authenticate: ({ token }) => (token === undefined ? null : { userId: token }),
    });
    const client = app.open('/lobby');
    await once(client.socket, 'open');
    const receipt = await broadcaster.broadcast({ type: 'said', payload: { text: 'secret' } });
    expect([receipt.delivered, registry.size]).toEqual([0, 0]);
    client.send({ type: '$auth', payload: { token: 'ann' } });
    expect((await client.next()).type).toBe('$hello');
    expect(client.frames).toEqual([]);
    expect(metrics.messagesDropped.total).toBe(0);
  });

  it('protocol messages other than ping and $auth do nothing', async () => {
    const { app, visits } = await openLobby({ authenticate: () => null });
    const client = app.open('/lobby');
    client.send({ type: '$reply', id: 'x', payload: {} });
    client.send({ type: '$cancel', id: 'x' });
    client.send({ type: '$made-up', id: 1 });
    await expect(client.reply(1)).rejects.toThrow('UNKNOWN_TYPE');
    client.send({ type: 'ping' });
    expect((await client.next()).type).toBe('pong');
    expect(visits.connected).toEqual([]);
  });

  it('a full receive queue pauses the socket, and all messages are handled in the end', async () => {
    const { app, visits } = await openLobby({
      maxWaitingMessages: 8,
      authenticate: ({ token }) => (token === undefined ? null : { userId: token }),
    });
    const hook = new Gate();
    visits.onConnect = () => hook.opened;
    const client = app.open('/lobby');
    client.send({ type: '$auth', payload: { token: 'ann' } });
    for (let id = 1; id <= 200; id++) client.send({ type: 'say', id, payload: { text: `${id}` } });
    client.send({ type: 'ping' });
    while (visits.connected.length === 0) await new Promise(setImmediate);
    expect(client.frames).toEqual([]);
    hook.open();
    await client.reply(200);
    expect(visits.messages).toEqual(Array.from({ length: 200 }, (_, i) => `${i + 1}`));
  });
});
