import type { RedisServer } from '../../../rig/redis/redis-server.js';
import { CrowdConnection } from '../crowd-connection.js';
import { pause } from '../failover-report.js';
import type { FaultyProxy } from '../../../rig/network/faulty-proxy.js';
import type { FaultTraffic } from './fault-traffic.js';
import type { Fault } from './fault-trial.js';
import type { PilotedNode } from '../piloted-node.js';

const KILL_EVERY_MS = 700;
const STORM_MS = 10_000;
const MILD_MS = 5_000;
const SLEEP_SECONDS = 4;
const BULK_MESSAGES = 300;
const FLUSH_EVERY_MS = 20;

export interface Stage {
  readonly server: RedisServer;
  /** One proxy per node. */
  readonly paths: readonly FaultyProxy[];
  readonly nodes: readonly PilotedNode[];
  readonly traffic: FaultTraffic;
}

/** Faults of Redis itself. */
export function redisFaults({ server, paths, nodes, traffic }: Stage): readonly Fault[] {
  let subscribers: readonly string[] = [];
  let turnedAway = 0;
  /** Clients that connect and disconnect during the fault; each upgrade runs a script. */
  const newcomers = async (whileDoing: (i: number) => Promise<unknown>) => {
    turnedAway = 0;
    const endsAt = performance.now() + MILD_MS;
    for (let i = 0; performance.now() < endsAt; i++) {
      await whileDoing(i);
      const node = nodes[i % nodes.length] as PilotedNode;
      const events = { received: () => {}, closed: () => {} };
      const client = new CrowdConnection(node.port, node.index, `user${i % nodes.length}`, events);
      await client.opened().catch(() => turnedAway++);
      await client.leave('close');
    }
  };
  const noneTurnedAway = async () =>
    turnedAway === 0 ? undefined : `${turnedAway} newcomers were turned away`;

  return [
    {
      name: 'SIGKILL and restart',
      takesDown: true,
      hurt: () => server.kill(),
      heal: () => server.start(),
    },
    {
      name: 'CLIENT KILL TYPE pubsub every 0.7 s',
      takesDown: false,
      hurt: async () => {
        const endsAt = performance.now() + STORM_MS;
        for (; performance.now() < endsAt; await pause(KILL_EVERY_MS)) {
          await server.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
        }
      },
      heal: async () => {},
    },
    {
      name: `DEBUG SLEEP ${SLEEP_SECONDS}`,
      takesDown: false,
      hurt: async () => {
        await server.call('DEBUG', 'SLEEP', SLEEP_SECONDS);
      },
      heal: async () => {},
    },
    {
      name: 'pub/sub output buffer overflow',
      takesDown: false,
      hurt: async () => {
        subscribers = await subscriberIds(server);
        await server.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 262144 0 0');
        for (const path of paths) path.replyBytesPerSecond = 500_000;
        await traffic.bulk(nodes[0] as PilotedNode, BULK_MESSAGES);
        await pause(MILD_MS / 2);
      },
      heal: async () => {
        for (const path of paths) path.restore();
        await server.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 33554432 8388608 60');
      },
      proof: async () => {
        const now = await subscriberIds(server);
        return subscribers.some((id) => !now.includes(id)) ? undefined : 'Redis has ended no subscriber';
      },
    },
    {
      name: 'NOPERM (ACL SETUSER resetchannels)',
      takesDown: true,
      hurt: async () => {
        await server.call('ACL', 'SETUSER', 'default', 'resetchannels');
      },
      heal: async () => {
        await server.call('ACL', 'SETUSER', 'default', 'allchannels');
      },
    },
    {
      name: 'OOM (maxmemory 1mb noeviction) with newcomers',
      takesDown: false,
      hurt: async () => {
        await server.call('CONFIG', 'SET', 'maxmemory', '1');
        await newcomers(() => pause(FLUSH_EVERY_MS));
      },
      heal: async () => {
        await server.call('CONFIG', 'SET', 'maxmemory', '0');
      },
      proof: noneTurnedAway,
    },
    {
      name: 'SCRIPT FLUSH loop with newcomers',
      takesDown: false,
      hurt: () => newcomers(() => server.call('SCRIPT', 'FLUSH')),
      heal: async () => {},
      proof: noneTurnedAway,
    },
  ];
}

async function subscriberIds(server: RedisServer): Promise<string[]> {
  const list = String(await server.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  return [...list.matchAll(/\bid=(\d+)/g)].map(([, id = '']) => id);
}
