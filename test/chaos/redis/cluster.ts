// npm run chaos:cluster: three masters and three replicas; four live slot migrations, a planned failover, a master dies,
// another freezes.
import { Cluster } from 'ioredis';
import { RedisNames } from '../../../lib/backplane/redis/client/redis-names.js';
import { slotOf } from '../../../lib/backplane/redis/cluster/slot-map.js';
import { RedisClusterServers } from '../../rig/redis/cluster-servers.js';
import { PREFIX } from '../../rig/redis/redis-node.js';
import type { RedisServer } from '../../rig/redis/redis-server.js';
import { until } from '../../rig/clock/until.js';
import { FailoverOracle } from './failover-oracle.js';
import {
  conclude,
  assessFailover,
  pause,
  printTallies,
  shortfalls,
  type Failover,
} from './failover-report.js';

const STEADY_MS = 4_000;
const MIGRATIONS = 4;
const HEAL_WITHIN_MS = 20_000;

const servers = await RedisClusterServers.start({ replicas: true });
const given = new Cluster(servers.nodes, { lazyConnect: true });
const oracle = new FailoverOracle(given);
const found: string[] = [];
const failovers: Failover[] = [];
try {
  await oracle.start();
  const before = oracle.subscriptions;
  console.log(`subscriptions: ${before.confirmed} of ${before.wanted} confirmed`);

  await oracle.phase('steady');
  await pause(STEADY_MS);

  await oracle.phase('migrations');
  for (let i = 0; i < MIGRATIONS; i++) await migrate(`room:${i}`);
  await pause(STEADY_MS / 2);

  const [victim, frozen] = servers.masters as [RedisServer, RedisServer];
  const [victimsReplica, frozensReplica, plannedReplica] = servers.replicas as [
    RedisServer,
    RedisServer,
    RedisServer,
  ];
  await oracle.phase('failover by request');
  await failover('failover by request', plannedReplica, async () => {
    await plannedReplica.call('CLUSTER', 'FAILOVER');
  });

  await oracle.phase('between');
  await pause(STEADY_MS);

  await oracle.phase('master killed');
  await failover('master killed', victimsReplica, () => victim.kill());

  await oracle.phase('between again');
  await pause(STEADY_MS);

  await oracle.phase('master frozen');
  await failover('master frozen', frozensReplica, async () => frozen.signal('SIGSTOP'));

  await oracle.phase('after');
  await pause(STEADY_MS);

  await oracle.phase('old masters back');
  frozen.signal('SIGCONT');
  await victim.start();
  await pause(STEADY_MS);

  await oracle.settle();
  // A channel without members stays subscribed for up to 11 s.
  await until('only what is wanted is subscribed', () => oracle.subscriptions.wanted === before.wanted).catch(
    () => {},
  );
  const after = oracle.subscriptions;
  console.log(`subscriptions: ${after.confirmed} of ${after.wanted} confirmed`);
  if (after.confirmed !== before.confirmed) {
    found.push(`${before.confirmed} subscriptions before, ${after.confirmed} after`);
  }
  printTallies(oracle.counted);
  for (const each of failovers) found.push(...assessFailover(each, oracle.tollOf(each.phase, each.begun)));
  console.log(`dropped because they came late: ${oracle.late}`);
  found.push(
    ...shortfalls(oracle.counted, [
      'steady',
      'migrations',
      'between',
      'between again',
      'after',
      'old masters back',
    ]),
  );
} finally {
  await oracle.stop();
  given.disconnect();
  await servers.stop();
}
conclude(found);

/** Moves the slot of a room to another master during publishing, and prints how long its subscribers took to follow. */
async function migrate(room: string): Promise<void> {
  const name = new RedisNames(PREFIX).channel(room);
  const slot = slotOf(name);
  const from = await servers.ownerOf(slot);
  const to = servers.masters.find((master) => master !== from) as RedisServer;
  await servers.moveSlot(slot, from, to);
  const movedAt = performance.now();
  const subscribers = async () => Number(((await to.call('PUBSUB', 'SHARDNUMSUB', name)) as unknown[])[1]);
  await until(`${room} has its subscribers on its new master`, async () => (await subscribers()) === 2);
  console.log(`slot ${slot} moved: subscribed again within ${Math.round(performance.now() - movedAt)} ms`);
  await pause(1_000);
}

async function failover(phase: string, heir: RedisServer, act: () => Promise<void>): Promise<void> {
  const begun = performance.now();
  await act();
  await until(
    'the replica is the master',
    async () => String(((await heir.call('ROLE')) as unknown[])[0]) === 'master',
    HEAL_WITHIN_MS,
  );
  failovers.push({ phase, begun, promotedMs: performance.now() - begun });
  await oracle.healed(HEAL_WITHIN_MS);
  const healMs = Math.round(performance.now() - begun);
  console.log(`${phase}: every room reached again after ${healMs} ms (cluster-node-timeout 3000)`);
  if (healMs > HEAL_WITHIN_MS) found.push(`${phase}: healed only after ${healMs} ms`);
  await pause(STEADY_MS / 2);
}
