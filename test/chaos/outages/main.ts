// npm run outages -- --clients 200 --seconds-scale 1
import { RedisServer } from '../../rig/redis/redis-server.js';
import { numberArgument, Checks } from '../checks.js';
import { AuthService } from './auth-service.js';
import { Cluster } from './cluster.js';
import type { Newcomer } from './protocol.js';

const clients = numberArgument('clients', 200);
const scale = numberArgument('seconds-scale', 1);
const newcomers = numberArgument('newcomers', 20);
/** How long recovery may take once the outage has ended. */
const recoverMs = numberArgument('recover-ms', 30_000);
const newcomerMs = numberArgument('newcomer-ms', 3_000);
const AUTH_OUTAGE_MS = 30_000 * scale;
const REDIS_OUTAGE_MS = 60_000 * scale;

const wait = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

const redis = await RedisServer.start();
const auth = await AuthService.start();
const cluster = await Cluster.start({
  clients,
  redis: redis.port,
  auth: auth.port,
  expiresWithinMs: AUTH_OUTAGE_MS,
});
const rows: { phase: string; recoveredMs: number; peak: number; attempts: number }[] = [];

/** Runs an outage, and measures the time until every client is connected and receives from both nodes again. */
async function phase(name: string, outage: () => Promise<void>): Promise<void> {
  await cluster.attempts();
  await outage();
  const endedAt = performance.now();
  const isWhole = await cluster.isWhole(recoverMs);
  const recoveredMs = isWhole ? performance.now() - endedAt : Number.POSITIVE_INFINITY;
  const attempts = await cluster.attempts();
  const sum = attempts.reduce((all, each) => all + each, 0);
  rows.push({ phase: name, recoveredMs, peak: Math.max(0, ...attempts), attempts: sum });
  console.log(`${name}: recovered after ${seconds(recoveredMs)}`);
}

const checks = new Checks();
console.log(`${clients} clients on two nodes`);

let expired = 0;
await phase(`authentication down for ${seconds(AUTH_OUTAGE_MS)}`, async () => {
  auth.mode = 'failing';
  const expiredBefore = await cluster.expired();
  await wait(AUTH_OUTAGE_MS / 2);
  await auth.stop();
  await wait(AUTH_OUTAGE_MS / 2);
  const { standing } = await cluster.look();
  expired = (await cluster.expired()) - expiredBefore;
  console.log(
    `  closed meanwhile, because a token had expired or could not be checked: ${expired}; connected at its end: ${standing.connected}`,
  );
  auth.mode = 'working';
  await auth.start();
});

const served: Newcomer[] = [];
await phase(`Redis down for ${seconds(REDIS_OUTAGE_MS)}`, async () => {
  await redis.kill();
  const endsAt = performance.now() + REDIS_OUTAGE_MS;
  for (let i = 0; i < newcomers; i++) {
    served.push(await cluster.newcomer(`new${i}`));
    await wait((endsAt - performance.now()) / (newcomers - i));
  }
  const { standing, nodes } = await cluster.look();
  console.log(`  connected at its end: ${standing.connected} of ${standing.clients}`);
  for (const { status, pendingSubscriptions } of nodes) {
    console.log(`  health: ${status}, ${pendingSubscriptions} subscriptions pending`);
  }
  await redis.start();
});

await phase('rolling restart of both nodes', () => cluster.rollingRestart());

const { standing, nodes } = await cluster.finish();
const { requested, answered, failed, unsettled } = standing;
const doubled = cluster.countedMoreThanOnce();
const uncounted = answered.filter((key) => !cluster.counted.has(key));
const slowest = (pick: (newcomer: Newcomer) => number) => Math.max(0, ...served.map(pick));

console.log('\nphase                                whole again  attempts  peak/s');
for (const { phase: name, recoveredMs, peak, attempts } of rows) {
  console.log(
    `${name.padEnd(36)} ${seconds(recoveredMs).padStart(11)}  ${String(attempts).padStart(8)}  ${String(peak).padStart(6)}`,
  );
}
console.log(
  `\nrequests: ${requested}, answered ${answered.length}, failed ${JSON.stringify(failed)}, unsettled ${unsettled}`,
);
console.log(
  `new clients during the Redis outage: ${served.length}, connected within ${seconds(slowest((it) => it.connectedMs))},`,
);
console.log(`  their first request answered within ${seconds(slowest((it) => it.answeredMs))}`);
for (const { uncaught } of nodes) for (const error of uncaught) console.log(`uncaught: ${error}`);

console.log();
checks.check(standing.closed === 0, 'no client ended in a final state: none needs a page reload');
checks.check(standing.connected === standing.clients, `all ${standing.clients} clients are connected`);
for (const { phase: name, recoveredMs } of rows) {
  checks.check(
    recoveredMs <= recoverMs,
    `${name}: every client receives from both nodes within ${seconds(recoverMs)}`,
  );
}
checks.check(expired > 0, 'tokens expired while authentication was away');
checks.check(
  served.length === newcomers && served.every(({ connectedMs }) => connectedMs < newcomerMs),
  `new clients connect within ${seconds(newcomerMs)} while Redis is down`,
);
checks.check(
  rows.every(({ peak }) => peak <= 2 * standing.clients),
  'in no second more than two attempts for each client, of which one in two goes to a node that is down',
);
checks.check(unsettled === 0, 'every request has settled');
checks.check(
  Object.keys(failed).every((code) => /^[A-Z_]+$/.test(code)),
  'every failed request has a typed code',
);
checks.check(
  doubled.length === 0 && uncounted.length === 0,
  'every request with a reply was handled once, and none twice',
);
checks.check(
  nodes.every(({ uncaught }) => uncaught.length === 0),
  'no uncaught error',
);
process.exitCode = checks.exitCode;

await cluster.stop();
await auth.stop();
await redis.kill();
