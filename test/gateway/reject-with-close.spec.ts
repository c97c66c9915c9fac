import type { RealtimeOptions } from 'nestjs-realtime';
import { expect, it } from 'vitest';
import { openLobby } from './lobby.js';
import { upgradeText } from '../rig/sockets/client-bytes.js';
import { readUntil, tcpConnection, upgrade } from '../rig/sockets/upgrade-request.js';

const cases: [refusal: string, options: RealtimeOptions, code: number, reason: RegExp][] = [
  ['a refused token', { authenticate: () => null }, 4401, /^authentication is required$/],
  ['a broken authenticate', { authenticate: () => 7 as never }, 1011, /^internal error$/],
  [
    'a late authenticate',
    { authenticate: () => new Promise(() => {}), handshakeTimeoutMs: 20 },
    1013,
    /^retry=5000$/,
  ],
];

it.each(cases)(
  '%s opens and closes with a code a browser can see',
  async (_refusal, options, code, reason) => {
    const { app, visits, registry, metrics } = await openLobby({ rejectWith: 'close', ...options });
    const client = app.open('/lobby', { token: 't' });
    const closed = await client.closed;
    expect(closed.code).toBe(code);
    expect(closed.reason).toMatch(reason);
    expect(client.frames).toEqual([]);
    expect([visits.connected.length, registry.size, metrics.connectionsOpened.total]).toEqual([0, 0, 0]);
    expect(metrics.upgradesRefused.total).toBe(1);
  },
);

it.each([
  ['all connections taken', { maxConnections: 1 }],
  ['all connections of the IP taken', { maxConnectionsPerIp: 1 }],
  ['all connections of the user taken', { maxConnectionsPerUser: 1 }],
])('%s closes with 1013 and when to come back', async (_name, options) => {
  const { app } = await openLobby({
    rejectWith: 'close',
    authenticate: () => ({ userId: 'ann' }),
    ...options,
  });
  await app.connect('/lobby');
  expect(await app.open('/lobby').closed).toEqual({ code: 1013, reason: 'retry=5000' });
});

it('a message of a client that is being refused gets no reply', async () => {
  const { app, visits } = await openLobby({ rejectWith: 'close', authenticate: () => null });
  const client = app.open('/lobby', { token: 't' });
  client.socket.on('open', () => client.send({ type: 'say', id: 1, payload: { text: 'a' } }));
  expect((await client.closed).code).toBe(4401);
  expect([client.frames, visits.messages]).toEqual([[], []]);
});

it('a forbidden origin is still answered with 403: its page gets no WebSocket', async () => {
  const { app } = await openLobby({ rejectWith: 'close' });
  const { status } = await upgrade(app.port, { headers: { Origin: 'https://evil.example' } });
  expect(status).toBe(403);
});

it('a drain closes new clients with 1013 and a retry time', async () => {
  const { app, visits } = await openLobby({ rejectWith: 'close' });
  const held = new Promise<void>(
    (resolve) =>
      (visits.onDisconnect = () =>
        new Promise<void>((end) => {
          late = end;
          resolve();
        })),
  );
  let late = () => {};
  await app.connect('/lobby');
  const closing = app.close();
  await held;
  expect(await app.open('/lobby').closed).toEqual({ code: 1013, reason: 'retry=1000' });
  late();
  await closing;
});

it('serves HTTP while a thousand refused clients are open', async () => {
  const { app } = await openLobby({ rejectWith: 'close', authenticate: () => null, closeTimeoutMs: 60_000 });
  // They never answer the close frame.
  const silent = Array.from({ length: 1_000 }, async () => {
    const socket = tcpConnection(app.port);
    socket.write(upgradeText('/lobby', { Authorization: 'Bearer t' }));
    return readUntil(socket, 'authentication is required');
  });
  for (const answer of await Promise.all(silent)) expect(answer).toMatch(/^HTTP\/1.1 101 /);
  const { status } = await upgrade(app.port, { headers: { Authorization: 'Bearer t' } });
  expect(status).toBe(401);
});
