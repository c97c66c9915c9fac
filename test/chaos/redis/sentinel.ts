// npm run chaos:sentinel: a master, a replica and three Sentinels; a failover by request, then the master dies.
import type { RedisServer } from '../../rig/redis/redis-server.js';
import { SentinelGroup } from '../../rig/redis/sentinel-group.js';
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
const HEAL_WITHIN_MS = 30_000;

const group = await SentinelGroup.start();
const oracle = new FailoverOracle(group.options);
const found: string[] = [];
const failovers: Failover[] = [];
try {
  await oracle.start();
  const before = oracle.subscriptions;
  console.log(`subscriptions: ${before.confirmed} of ${before.wanted} confirmed`);

  await oracle.phase('steady');
  await pause(STEADY_MS);

  await oracle.phase('failover by request');
  await failover('failover by request', () => group.failover());

  await oracle.phase('between');
  await pause(STEADY_MS);

  await oracle.phase('master killed');
  const old = (await group.master()) as RedisServer;
  await failover('master killed', () => old.kill());

  await oracle.phase('after');
  await pause(STEADY_MS);

  await oracle.phase('old master back');
  await old.start();
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
  found.push(...shortfalls(oracle.counted, ['steady', 'between', 'after', 'old master back']));
} finally {
  await oracle.stop();
  await group.stop();
}
conclude(found);

async function failover(phase: string, act: () => Promise<void>): Promise<void> {
  const old = await group.master();
  const begun = performance.now();
  await act();
  await until('there is a new master', async () => (await group.master()) !== old, HEAL_WITHIN_MS);
  failovers.push({ phase, begun, promotedMs: performance.now() - begun });
  await oracle.healed(HEAL_WITHIN_MS);
  const healMs = Math.round(performance.now() - begun);
  console.log(`${phase}: every room reached again after ${healMs} ms (down-after-milliseconds 2000)`);
  if (healMs > HEAL_WITHIN_MS) found.push(`${phase}: healed only after ${healMs} ms`);
  await pause(STEADY_MS / 2);
}
