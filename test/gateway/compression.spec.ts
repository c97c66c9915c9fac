import { once } from 'node:events';
import { WebSocket } from 'ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openLobby, type Lobby } from './lobby.js';
import { upgrade } from '../rig/sockets/upgrade-request.js';

const OFFER = { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' } };

/** A client, with or without compression, and the texts it has received. */
async function open({ app }: Lobby, perMessageDeflate: boolean) {
  const socket = new WebSocket(`ws://127.0.0.1:${app.port}/lobby`, { perMessageDeflate });
  onTestFinished(() => socket.terminate());
  const texts: string[] = [];
  const arrivals: (() => void)[] = [];
  socket.on('message', (data) => {
    const { type, payload } = JSON.parse(String(data)) as { type: string; payload: { text: string } };
    if (type === 'said' || type === '$reply') texts.push(payload.text);
    for (const arrive of arrivals.splice(0)) arrive();
  });
  await once(socket, 'message');
  const got = async (count: number) => {
    while (texts.length < count) await new Promise<void>((resolve) => arrivals.push(resolve));
    return texts;
  };
  return { socket, texts, got };
}

describe('compression', () => {
  it('is off by default, also for clients that offer it', async () => {
    const { app } = await openLobby();
    expect((await upgrade(app.port, OFFER)).headers['sec-websocket-extensions']).toBeUndefined();
  });

  it('keeps no context between messages when it is on', async () => {
    const { app } = await openLobby({ compression: {} });
    const { headers } = await upgrade(app.port, OFFER);
    const extensions = headers['sec-websocket-extensions'];
    expect(extensions).toContain('permessage-deflate');
    expect(extensions).toContain('server_no_context_takeover');
    expect(extensions).toContain('client_no_context_takeover');
  });

  it('compresses large messages and sends small ones as they are', async () => {
    const lobby = await openLobby({ compression: { thresholdBytes: 1_000 } });
    const { socket, got } = await open(lobby, true);
    const raw = (socket as unknown as { _socket: { bytesRead: number } })._socket;
    const bytesOf = async (count: number, text: string) => {
      const before = raw.bytesRead;
      await lobby.broadcaster.broadcast({ type: 'said', payload: { text } });
      await got(count);
      return raw.bytesRead - before;
    };
    expect(await bytesOf(1, 'a'.repeat(50_000))).toBeLessThan(1_000);
    expect(await bytesOf(2, 'a'.repeat(500))).toBeGreaterThan(500);
  });

  it('does not change the messages of a broadcast or their order', async () => {
    const lobby = await openLobby({ compression: { thresholdBytes: 200, concurrency: 2 } });
    const clients = await Promise.all([true, false, true, false].map((offers) => open(lobby, offers)));
    expect(clients.map(({ socket }) => socket.extensions)).toEqual([
      expect.stringContaining('permessage-deflate'),
      '',
      expect.stringContaining('permessage-deflate'),
      '',
    ]);
    const sent = Array.from({ length: 400 }, (_, i) => `${i} ${'ä'.repeat((i * 37) % 1_000)}`);
    for (const text of sent) void lobby.broadcaster.broadcast({ type: 'said', payload: { text } });
    for (const { got } of clients) expect(await got(400)).toEqual(sent);
  });

  it('keeps replies, broadcasts and pings of one connection intact and in order', async () => {
    const lobby = await openLobby({
      compression: { thresholdBytes: 10 },
      heartbeat: { intervalMs: 25, timeoutMs: 5_000 },
    });
    const { socket, got } = await open(lobby, true);
    let pings = 0;
    const pinged = new Promise<void>((resolve) => socket.on('ping', () => ++pings === 3 && resolve()));
    const sent: string[] = [];
    lobby.visits.onHold = (text) =>
      lobby.broadcaster.broadcast({ type: 'said', payload: { text: `before ${text}` } });
    for (let i = 0; i < 100; i++) {
      const text = `${i} ${'b'.repeat(i * 20)}`;
      socket.send(JSON.stringify({ type: 'hold', id: i, payload: { text } }));
      sent.push(`before ${text}`, text);
    }
    expect(await got(200)).toEqual(sent);
    await pinged;
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });
});

describe('a compressed message of a client', () => {
  it('is read like any other message', async () => {
    const lobby = await openLobby({ compression: {} });
    const { socket, got } = await open(lobby, true);
    const text = 'c'.repeat(40_000);
    socket.send(JSON.stringify({ type: 'say', id: 1, payload: { text } }));
    expect(await got(1)).toEqual([text]);
  });

  it('is limited by its inflated size: a decompression bomb closes with 1009', async () => {
    const lobby = await openLobby({ compression: {} });
    const { socket } = await open(lobby, true);
    const gone = lobby.visits.departure();
    socket.send('0'.repeat(20_000_000));
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1009);
    expect((await gone).code).toBe(1009);
  });
});

it('a compressed client that does not read is closed with 4413', async () => {
  const lobby = await openLobby({ compression: { thresholdBytes: 100_000_000 }, closeTimeoutMs: 50 });
  const { socket } = await open(lobby, true);
  const gone = lobby.visits.departure();
  const [connection] = lobby.registry;
  socket.pause();
  let most = 0;
  const text = 'd'.repeat(50_000);
  while (connection?.isOpen === true) {
    await lobby.broadcaster.broadcast({ type: 'said', payload: { text } });
    most = Math.max(most, connection.queuedBytes);
    await new Promise(setImmediate);
  }
  await gone;
  expect(most).toBeLessThan(1_048_576 + 2 * 50_000);
  expect(lobby.metrics.slowConsumers.total).toBe(1);
});
