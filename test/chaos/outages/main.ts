// npm run outages -- --clients 200 --seconds-scale 1
import { RedisServer } from '../../rig/redis/redis-server.js';
import { numberArgument, Verdicts } from '../verdicts.js';
import { AuthService } from './auth-service.js';
import { Cluster } from './cluster.js';
import type { Newcomer } from './protocol.js';

const clients = numberArgument('clients', 200);
const scale = numberArgument('seconds-scale', 1);
const newcomers = numberArgument('newcomers', 20);
/** How long everything may take to be as it was, once the outage has ended. */
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

/** Takes something away, gives it back, and measures until every client is connected and isSubscribed both nodes again. */
async function phase(name: string, outage: () => Promise<void>): Promise<void> {
  await cluster.attempts();
  await outage();
  const endedAt = performance.now();
  const isWhole = await cluster.isWhole(recoverMs);
  const recoveredMs = isWhole ? performance.now() - endedAt : Number.POSITIVE_INFINITY;
  const attempts = await cluster.attempts();
  const sum = attempts.reduce((all, each) => all + each, 0);
  rows.push({ phase: name, recoveredMs, peak: Math.max(0, ...attempts), attempts: sum });
  console.log(`${name}: whole again after ${seconds(recoveredMs)}`);
}

const verdicts = new Verdicts();
await cluster.isWhole(recoverMs);
console.log(`${clients} clients on two nodes`);

let expired = 0;
await phase(`authentication away for ${seconds(AUTH_OUTAGE_MS)}`, async () => {
  auth.mode = 'failing';
  const expiredBefore = await cluster.expired();
  await wait(AUTH_OUTAGE_MS / 2);
  await auth.stop();
  await wait(AUTH_OUTAGE_MS / 2);
  const { standing } = await cluster.look();
  expired = (await cluster.expired()) - expiredBefore;
  console.log(
    `  connections that ended with their token meanwhile: ${expired}; connected at its end: ${standing.connected}`,
  );
  auth.mode = 'working';
  await auth.start();
});

const served: Newcomer[] = [];
await phase(`Redis away for ${seconds(REDIS_OUTAGE_MS)}`, async () => {
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
const { asked, answered, failed, unsettled } = standing;
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
  `\nrequests: ${asked}, answered ${answered.length}, failed ${JSON.stringify(failed)}, unsettled ${unsettled}`,
);
console.log(
  `new clients during the Redis outage: ${served.length}, connected within ${seconds(slowest((it) => it.connectedMs))},`,
);
console.log(`  their first request answered within ${seconds(slowest((it) => it.answeredMs))}`);
for (const { uncaught } of nodes) for (const error of uncaught) console.log(`uncaught: ${error}`);

console.log();
verdicts.check(standing.closed === 0, 'no client ended in a final state: none needs a page reload');
verdicts.check(standing.connected === standing.clients, `all ${standing.clients} clients are connected`);
for (const { phase: name, recoveredMs } of rows) {
  verdicts.check(
    recoveredMs <= recoverMs,
    `${name}: every client isSubscribed both nodes within ${seconds(recoverMs)}`,
  );
}
verdicts.check(expired > 0, 'tokens expired while authentication was away');
verdicts.check(
  served.length === newcomers && served.every(({ connectedMs }) => connectedMs < newcomerMs),
  `new clients connect within ${seconds(newcomerMs)} while Redis is away`,
);
verdicts.check(
  rows.every(({ peak }) => peak <= 2 * standing.clients),
  'in no second more than two attempts for each client, of which one in two goes to a node that is away',
);
verdicts.check(unsettled === 0, 'every request has settled');
verdicts.check(
  Object.keys(failed).every((code) => /^[A-Z_]+$/.test(code)),
  'every failed request has a typed code',
);
verdicts.check(
  doubled.length === 0 && uncounted.length === 0,
  'every answered request was carried out once, and none twice',
);
verdicts.check(
  nodes.every(({ uncaught }) => uncaught.length === 0),
  'no uncaught error',
);
process.exitCode = verdicts.exitCode;

await cluster.stop();
await auth.stop();
await redis.kill();
