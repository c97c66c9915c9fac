import { once } from 'node:events';
import type { RealtimeOptions } from 'nestjs-realtime';
import { expect, it } from 'vitest';
import { clientFrame, Opcode, upgradeText } from '../rig/sockets/client-bytes.js';
import { openLobby } from './lobby.js';
import { readUntil, tcpConnection } from '../rig/sockets/upgrade-request.js';

async function rawClient(options: RealtimeOptions) {
  const lobby = await openLobby({ heartbeat: false, ...options });
  const socket = tcpConnection(lobby.app.port);
  const hello = readUntil(socket, '$hello');
  socket.write(upgradeText());
  await hello;
  return { ...lobby, socket, gone: lobby.visits.departure() };
}

it('a ping is answered by a pong with its bytes', async () => {
  const { app } = await openLobby();
  const { socket } = await app.connect('/lobby');
  for (const bytes of ['', 'x', 'x'.repeat(125)]) {
    const pong = new Promise((resolve) => socket.once('pong', resolve));
    socket.ping(bytes);
    expect(String(await pong)).toBe(bytes);
  }
});

it('pings count against the rate limit: above it they get no pong, then the connection is closed', async () => {
  const rateLimit = { burstMessages: 10, messagesPerSecond: 1, maxRefusals: 5 };
  const { app, metrics } = await openLobby({ rateLimit });
  const client = await app.connect('/lobby');
  let pongs = 0;
  client.socket.on('pong', () => pongs++);
  for (let i = 0; i < 30; i++) client.socket.ping();
  expect(await client.closed).toEqual({ code: 4429, reason: 'retry=5000' });
  expect(pongs).toBe(10);
  expect(client.frames.map(({ payload }) => (payload as { code: string }).code)).toEqual(
    Array.from({ length: 5 }, () => 'RATE_LIMITED'),
  );
  expect(metrics.messagesRefused.of('RATE_LIMITED')).toBe(5);
});

it('a flood of pings from a client that never reads stays within maxQueueBytes, then closes it', async () => {
  const maxQueueBytes = 200_000;
  const { socket, gone, registry, metrics } = await rawClient({
    maxQueueBytes,
    rateLimit: false,
    closeTimeoutMs: 100,
  });
  const [connection] = registry;
  let most = 0;
  const pings = Buffer.concat(
    Array.from({ length: 500 }, () => clientFrame('p'.repeat(125), { opcode: Opcode.PING })),
  );
  socket.pause();
  const flood = (error?: Error | null) => {
    most = Math.max(most, connection?.queuedBytes ?? 0);
    if (!error) socket.write(pings, flood);
  };
  flood();
  expect((await gone).code).toBe(4413);
  expect(metrics.slowConsumers.total).toBe(1);
  // One read of the socket brings at most 64 KiB of pings, answered by as much.
  expect(most).toBeLessThan(maxQueueBytes + 100_000);
  expect(registry.size).toBe(0);
});

it('a client that sends after its close is terminated without waiting for its close frame', async () => {
  const { socket, gone, metrics } = await rawClient({
    rateLimit: { burstMessages: 10, messagesPerSecond: 1, maxRefusals: 5 },
    closeTimeoutMs: 600_000,
  });
  socket.resume();
  const pings = Buffer.concat(Array.from({ length: 500 }, () => clientFrame('', { opcode: Opcode.PING })));
  const flood = (error?: Error | null) => {
    if (!error) socket.write(pings, flood);
  };
  flood();
  expect((await gone).code).toBe(1006);
  expect(metrics.messagesRefused.of('RATE_LIMITED')).toBe(5);
});

it('pings while handleConnection runs are answered at once', async () => {
  const { app, visits } = await openLobby();
  let open = () => {};
  visits.onConnect = () => new Promise<void>((resolve) => (open = resolve));
  const client = app.open('/lobby');
  await once(client.socket, 'open');
  client.socket.ping();
  await new Promise((resolve) => client.socket.on('pong', resolve));
  expect(client.frames).toEqual([]);
  open();
  await client.hello();
});
