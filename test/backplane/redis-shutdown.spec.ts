import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisCommands } from '../../lib/backplane/redis/client/redis-commands.js';
import type { RedisConfiguration } from '../../lib/backplane/redis/client/redis-configuration.js';
import { RedisClusterServers } from '../rig/redis/cluster-servers.js';
import { RedisNode } from '../rig/redis/redis-node.js';
import { RedisServer } from '../rig/redis/redis-server.js';
import { SentinelGroup } from '../rig/redis/sentinel-group.js';
import { until } from '../rig/clock/until.js';

/** A Redis of some kind, with every server that somebody could be connected to. */
interface Ground {
  readonly redis: RedisConfiguration;
  readonly servers: readonly RedisServer[];
  stop(): Promise<unknown>;
}

const GROUNDS: readonly [string, () => Promise<Ground>][] = [
  [
    'one Redis',
    async () => {
      const server = await RedisServer.start();
      return { redis: server.url, servers: [server], stop: () => server.kill() };
    },
  ],
  [
    'a Sentinel group',
    async () => {
      const group = await SentinelGroup.start();
      return {
        redis: group.options,
        servers: [...group.servers, ...group.sentinels],
        stop: () => group.stop(),
      };
    },
  ],
  [
    'a Cluster',
    async () => {
      const servers = await RedisClusterServers.start();
      const given = new Cluster(servers.nodes, { lazyConnect: true });
      const stop = async () => {
        given.disconnect();
        await servers.stop();
      };
      return { redis: given, servers: servers.masters, stop };
    },
  ],
];

describe.each(GROUNDS)('stopped while it starts, on %s', (_kind, prepare) => {
  let ground: Ground;
  beforeAll(async () => {
    ground = await prepare();
  }, 60_000);
  afterAll(() => ground?.stop());

  /** Connections of clients, on all servers; those of servers to each other are named. */
  async function connections(): Promise<number> {
    const lists = await Promise.all(ground.servers.map((server) => server.call('CLIENT', 'LIST')));
    const lines = lists.flatMap((list) => String(list).trim().split('\n'));
    // The one that asks is on each list.
    return lines.filter((line) => !/name=sentinel-|flags=[A-Z]*[SM]/.test(line)).length - lists.length;
  }

  async function nothingIsLeft(act: (turns: number) => Promise<unknown>): Promise<void> {
    const [before, sockets] = [await connections(), openSockets()];
    // A start takes some 20 to 60 turns of the event loop.
    for (let turns = 0; turns <= 80; turns += turns < 20 ? 1 : 5) await act(turns);
    await until('its connections are closed', async () => (await connections()) === before);
    await until('its sockets are gone', () => openSockets() <= sockets);
    await pass(50);
    expect(await connections()).toBe(before);
  }

  it('a backplane leaves no connection, whatever the moment', async () => {
    await nothingIsLeft(async (turns) => {
      const { backplane } = new RedisNode(ground.redis, 'a');
      const started = backplane.start({ receive: () => {}, stateChanged: () => {}, interrupted: () => {} });
      await pass(turns);
      await backplane.stop();
      await started;
    });
  }, 90_000);

  it('the connection for commands leaves nothing, whatever the moment', async () => {
    await nothingIsLeft(async (turns) => {
      const commands = new RedisCommands(ground.redis, { failed: () => {}, ready: () => {} });
      const started = commands.start();
      await pass(turns);
      await commands.stop();
      await started;
    });
  }, 90_000);

  it('nothing is opened by a start after the stop, and a subscription is refused', async () => {
    const before = await connections();
    const { backplane } = new RedisNode(ground.redis, 'a');
    const commands = new RedisCommands(ground.redis, { failed: () => {}, ready: () => {} });
    await Promise.all([backplane.stop(), commands.stop()]);
    await backplane.start({ receive: () => {}, stateChanged: () => {}, interrupted: () => {} });
    await commands.start();
    await expect(backplane.subscribe('all')).rejects.toMatchObject({ reason: 'unavailable' });
    expect(await connections()).toBe(before);
  });
});

async function pass(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;
}
