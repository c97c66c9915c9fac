import { Cluster } from 'ioredis';
import { BackplaneError, TicketService, type TicketStore } from 'nestjs-realtime';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RedisCommands } from '../../lib/backplane/redis/client/redis-commands.js';
import { RedisNames } from '../../lib/backplane/redis/client/redis-names.js';
import type { RedisConfiguration } from '../../lib/backplane/redis/client/redis-configuration.js';
import { RedisTicketStore } from '../../lib/gateway/identity/redis-ticket-store.js';
import { RedisClusterServers } from '../rig/redis/cluster-servers.js';
import { RedisServer } from '../rig/redis/redis-server.js';
import { openLobby } from './lobby.js';

import { upgrade } from '../rig/sockets/upgrade-request.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis?.kill());

/** The tickets of one node. */
async function ticketsOfNode(configuration: RedisConfiguration = redis.url): Promise<TicketService> {
  const commands = new RedisCommands(configuration, { failed: () => {}, ready: () => {} });
  await commands.start();
  onTestFinished(() => commands.stop());
  return new TicketService(new RedisTicketStore(commands, new RedisNames('tickets')));
}

describe('a ticket in Redis', () => {
  it('issued on one node is accepted on another, with its identity', async () => {
    const [here, there] = [await ticketsOfNode(), await ticketsOfNode()];
    const identity = {
      userId: 'ann',
      user: { name: 'Ann Ōe', roles: ['host'] },
      expiresAt: 1_900_000_000_000,
    };
    const ticket = await here.issue(identity);
    expect(await there.consume(ticket)).toEqual(identity);
    expect(await here.consume(ticket)).toBeUndefined();
  });

  it('is consumed by exactly one of 20 concurrent consumers on two nodes', async () => {
    const nodes = [await ticketsOfNode(), await ticketsOfNode()] as const;
    const ticket = await nodes[0].issue({ userId: 'ann' });
    const consumed = Array.from({ length: 20 }, (_, i) => (nodes[i % 2] ?? nodes[0]).consume(ticket));
    const identities = (await Promise.all(consumed)).filter((identity) => identity !== undefined);
    expect(identities).toEqual([{ userId: 'ann' }]);
  });

  it('is consumed once in a Redis Cluster', async () => {
    const servers = await RedisClusterServers.start();
    onTestFinished(() => servers.stop());
    const cluster = new Cluster(servers.nodes, { lazyConnect: true });
    const nodes = [await ticketsOfNode(cluster), await ticketsOfNode(cluster)] as const;
    // On all masters, so that some replies are redirections.
    const tickets = await Promise.all(
      Array.from({ length: 30 }, (_, i) => nodes[0].issue({ userId: `u${i}` })),
    );
    const consumed = tickets.flatMap((ticket) => nodes.map((node) => node.consume(ticket)));
    const users = (await Promise.all(consumed)).flatMap((identity) => identity?.userId ?? []);
    expect(new Set(users).size).toBe(30);
    expect(users).toHaveLength(30);
  }, 60_000);

  it('is deleted by Redis when it expires', async () => {
    const tickets = await ticketsOfNode();
    const ticket = await tickets.issue({ userId: 'ann' }, { ttlMs: 30 });
    await expect
      .poll(() => redis.call('EXISTS', new RedisNames('tickets').key(ticket, 'ticket', ticket)))
      .toBe(0);
    expect(await tickets.consume(ticket)).toBeUndefined();
  });

  it('is neither issued nor consumed while Redis is down, and both reject at once', async () => {
    const tickets = await ticketsOfNode();
    const ticket = await tickets.issue({ userId: 'ann' });
    await redis.kill();
    onTestFinished(() => redis.start());
    const away = { name: 'BackplaneError', reason: 'unavailable' };
    await expect.poll(() => tickets.consume(ticket).catch((error: unknown) => error)).toMatchObject(away);
    await expect(tickets.issue({ userId: 'ann' })).rejects.toMatchObject(away);
  });
});

describe('a client with a ticket while the ticket store is unreachable', () => {
  const away: TicketStore = {
    put: async () => {},
    take: () => Promise.reject(new BackplaneError('unavailable', 'Redis is away.')),
  };

  it('is refused with 503 and Retry-After, counted, and logged without the ticket', async () => {
    const { app, metrics, log } = await openLobby({ ticketStore: away, authenticate: () => null });
    const ticket = await app.get(TicketService).issue({ userId: 'ann' });
    const { status, headers } = await upgrade(app.port, { path: `/lobby?ticket=${ticket}` });
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    expect(metrics.upgradesRefused.of('tickets_unavailable')).toBe(1);
    expect(log.text).toContain('Redis is away.');
    expect(log.text).not.toContain(ticket);
  });

  it('is closed with 1013 if refusals open first', async () => {
    const { app } = await openLobby({ ticketStore: away, authenticate: () => null, rejectWith: 'close' });
    const ticket = await app.get(TicketService).issue({ userId: 'ann' });
    const client = app.open(`/lobby?ticket=${ticket}`);
    expect(await client.closed).toEqual({ code: 1013, reason: 'retry=5000' });
  });
});
