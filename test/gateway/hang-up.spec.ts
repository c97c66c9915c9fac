import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Redis } from 'ioredis';
import type { Gauge, RealtimeOptions } from 'nestjs-realtime';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RedisServer } from '../rig/redis/redis-server.js';
import { until } from '../rig/clock/until.js';
import { upgradeText } from '../rig/sockets/client-bytes.js';
import { Gate } from '../rig/clock/gate.js';
import { openLobby, type Lobby } from './lobby.js';
import { tcpConnection, upgrade } from '../rig/sockets/upgrade-request.js';

const waiting = ({ metrics }: Lobby) =>
  (metrics.all.find(({ name }) => name === 'realtime_handshakes_waiting') as Gauge).samples()[0]?.value;

/** An upgrade request with a token, and the server's end of its socket. */
async function arrive({ app }: Lobby, token: string): Promise<{ client: Socket; accepted: Socket }> {
  const connected = once(app.app.getHttpServer() as Server, 'connection');
  const client = tcpConnection(app.port);
  client.write(upgradeText('/lobby', { Authorization: `Bearer ${token}` }));
  const [accepted] = (await connected) as [Socket];
  return { client, accepted };
}

/** An app that authenticates one handshake at a time, and holds the first. */
async function busyLobby(handshakes: RealtimeOptions['handshakes'] = { maxConcurrent: 1 }) {
  const authenticating: (string | undefined)[] = [];
  const finish = new Gate();
  const lobby = await openLobby({
    handshakes,
    authenticate: async ({ token }) => {
      authenticating.push(token);
      await finish.opened;
      return { userId: token };
    },
  });
  return { ...lobby, authenticating, finish };
}

describe('a client that disconnects while its handshake waits', () => {
  it.each(['end', 'destroy', 'resetAndDestroy'] as const)(
    'is not authenticated, and its permit is released at once: %s',
    async (hangUp) => {
      const lobby = await busyLobby({ maxConcurrent: 1, maxWaiting: 1 });
      const first = lobby.app.open('/lobby', { token: 'first' });
      await until('the first is authenticated', () => lobby.authenticating.length === 1);
      const { client } = await arrive(lobby, 'gone');
      await until('one waits', () => waiting(lobby) === 1);
      client[hangUp]();
      await until('none waits', () => waiting(lobby) === 0);
      const last = lobby.app.open('/lobby', { token: 'last' });
      await until('one waits', () => waiting(lobby) === 1);
      lobby.finish.open();
      await Promise.all([first.hello(), last.hello()]);
      expect(lobby.authenticating).toEqual(['first', 'last']);
      expect(lobby.metrics.upgradesRefused.of('gone')).toBe(1);
    },
  );

  it('does not change the order of the others', async () => {
    const lobby = await busyLobby();
    void upgrade(lobby.app.port, { headers: { Authorization: 'Bearer 0' } });
    await until('the first is authenticated', () => lobby.authenticating.length === 1);
    const clients: Socket[] = [];
    for (let i = 1; i <= 60; i++) {
      clients.push((await arrive(lobby, String(i))).client);
      await until('it waits', () => waiting(lobby) === i);
    }
    for (const [index, client] of clients.entries()) if (index % 6 !== 0) client.destroy();
    await until('ten wait', () => waiting(lobby) === 10);
    lobby.finish.open();
    await until('the remaining ones are authenticated', () => lobby.authenticating.length === 11);
    expect(lobby.authenticating).toEqual(['0', '1', '7', '13', '19', '25', '31', '37', '43', '49', '55']);
  });
});

it('a client that disconnects while Redis counts it is not authenticated', async () => {
  const redis = await RedisServer.start();
  onTestFinished(() => redis.kill());
  const control = new Redis(redis.url);
  onTestFinished(() => control.disconnect());
  const authenticating: unknown[] = [];
  const lobby = await openLobby({
    redis: redis.url,
    maxConnectionsPerIp: 10,
    authenticate: ({ token }) => {
      authenticating.push(token);
      return { userId: token };
    },
  });
  await lobby.app.connect('/lobby', { token: 'first' });
  await control.call('CLIENT', 'PAUSE', '3000', 'WRITE');
  const { client, accepted } = await arrive(lobby, 'gone');
  const ended = once(accepted, 'end');
  client.end();
  await ended;
  await control.call('CLIENT', 'UNPAUSE');
  await until('it is given up', () => lobby.metrics.upgradesRefused.of('gone') === 1);
  expect(authenticating).toEqual(['first']);
});
