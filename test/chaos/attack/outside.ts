// Attacks on a server from outside: see main.ts.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ForkedProcess } from '../../rig/process/forked-process.js';
import { mebibytes, numberArgument, percentile, Checks } from '../checks.js';
import { HealthyClient } from './healthy-client.js';
import type { Report } from './protocol.js';

const seconds = numberArgument('seconds', 60);
const seed = numberArgument('seed', 1);
const minInputs = numberArgument('min-inputs', 100_000);
const maxP99Ms = numberArgument('max-p99-ms', 100);
// What the first attack leaves allocated (compiled code, pools) is not a leak; growth after it is.
const warmUpSeconds = numberArgument('warm-up', 20);
const MEMORY_SLACK = 1.1;
// The server keeps ended sessions for two minutes, for clients that reconnect.
const SETTLING_SECONDS = 150;

const inFile = (name: string) => new URL(name, import.meta.url);
const isWithin = (now: number, then: number) => now <= then * MEMORY_SLACK;
const wait = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

const server = new ForkedProcess(inFile('./server.ts'), [], ['--expose-gc']);
const port = await server.next<number>('listening');
const healthy = await HealthyClient.connect(port);

/** Starts the attackers' process; the attacks begin on command. */
async function recruit(withSeed: number): Promise<ForkedProcess> {
  const attackers = new ForkedProcess(inFile('./attackers.ts'), [
    '--port',
    `${port}`,
    '--seed',
    `${withSeed}`,
  ]);
  await attackers.next('ready');
  // Real attackers are other machines and use no CPU of the server's.
  attackers.yieldProcessor();
  return attackers;
}

/** Attacks for that long; returns what was sent, by kind. */
async function attack(attackers: ForkedProcess, forSeconds: number): Promise<Map<string, number>> {
  await attackers.request('begin');
  await wait(forSeconds * 1_000);
  const inputs = await attackers.request<[string, number][]>('end');
  await attackers.exited;
  return new Map(inputs);
}

/** Waits until only the well-behaved client is connected, then reports. */
async function reportAtRest(): Promise<Report> {
  while ((await server.request<number>('sockets')) > 1) await wait(100);
  return server.request<Report>('report');
}

const hasReturned = ({ rssBytes, heapBytes }: Report) =>
  isWithin(rssBytes, before.rssBytes) && isWithin(heapBytes, before.heapBytes);

await attack(await recruit(seed + 1), warmUpSeconds);
const attackers = await recruit(seed);
const before = await reportAtRest();

healthy.start();
await wait(Math.min(3, seconds) * 1_000);
const atRest = healthy.latencies;
healthy.reset();
await server.request('watch');
const ownDelay = monitorEventLoopDelay({ resolution: 5 });
ownDelay.enable();
let peakRss = 0;
const watch = setInterval(() => {
  void server.request<NodeJS.MemoryUsage>('memory').then(({ rss }) => (peakRss = Math.max(peakRss, rss)));
}, 500);
const startedAt = performance.now();
const inputs = await attack(attackers, seconds);
const tookSeconds = (performance.now() - startedAt) / 1_000;
clearInterval(watch);
ownDelay.disable();
await healthy.stop();
let after = await reportAtRest();
// V8 returns the pages of a shrunken heap gradually, and old sessions are removed when others end.
for (let i = 0; i < SETTLING_SECONDS && !hasReturned(after); i++) {
  await wait(1_000);
  await (await HealthyClient.connect(port)).leave();
  after = await server.request<Report>('report');
}

const total = [...inputs.values()].reduce((sum, count) => sum + count, 0);
console.log(`\n${total} inputs in ${tookSeconds.toFixed(1)} s, seed ${seed}`);
for (const [kind, count] of inputs) console.log(`  ${kind.padEnd(26)} ${count}`);

console.log('\nwhat the server refused, by its own counters');
printGrown('upgrades', before.refusedUpgrades, after.refusedUpgrades);
printGrown('messages', before.refusedMessages, after.refusedMessages);
printGrown('closed', before.closed, after.closed);
console.log(`  slow consumers ${after.slowConsumers - before.slowConsumers}`);
console.log(`  log lines ${JSON.stringify(after.logLines)} ${after.errors.join(' | ')}`);

const { latencies, undisturbed } = healthy;
const spread = (samples: readonly number[]) =>
  [0.5, 0.99, 1].map((share) => percentile(samples, share).toFixed(1));
const p99 = percentile(latencies, 0.99);
console.log(
  `\nhealthy client: ${latencies.length} requests, ${healthy.unanswered} unanswered; p50, p99, max in ms`,
);
console.log(`  ${spread(latencies).join(', ')}`);
console.log(
  `  ${spread(undisturbed).join(', ')} for the ${undisturbed.length} during which this process itself was not held up`,
);
console.log(`  ${spread(atRest).join(', ')} at rest before`);
const late = ([p99Ms, maxMs]: readonly number[]) =>
  `p99 ${p99Ms?.toFixed(0)} ms, max ${maxMs?.toFixed(0)} ms`;
console.log(`  timers late in the server: ${late(after.loopDelayMs)}`);
console.log(`  timers late in this process: ${late([ownDelay.percentile(99) / 1e6, ownDelay.max / 1e6])}`);

console.log('\nmemory, after garbage collection (during: the highest seen)');
console.log(
  `  RSS      before ${mebibytes(before.rssBytes)}, during ${mebibytes(peakRss)}, after ${mebibytes(after.rssBytes)}`,
);
console.log(`  heap     before ${mebibytes(before.heapBytes)}, after ${mebibytes(after.heapBytes)}`);
console.log(`  external before ${mebibytes(before.externalBytes)}, after ${mebibytes(after.externalBytes)}`);
for (const error of after.uncaught) console.log(`uncaught: ${error}`);

const checks = new Checks();
console.log();
checks.check(total >= minInputs, `at least ${minInputs} inputs`);
checks.check(
  healthy.isConnected && healthy.unanswered === 0,
  'the healthy client kept its connection and got every reply',
);
checks.check(p99 < maxP99Ms, `p99 of the healthy client below ${maxP99Ms} ms`);
checks.check(after.connections === 1, 'no connection of the attackers is left');
checks.check(isWithin(after.heapBytes, before.heapBytes), 'heap within 10 % of what it was');
checks.check(isWithin(after.rssBytes, before.rssBytes), 'RSS within 10 % of what it was');
checks.check(after.uncaught.length === 0, 'no uncaught error');
process.exitCode = checks.exitCode;

await healthy.leave();
await server.request('close');
await server.exited;

function printGrown(what: string, then: Record<string, number>, now: Record<string, number>): void {
  const grown = Object.entries(now).map(([label, count]) => `${label} ${count - (then[label] ?? 0)}`);
  console.log(`  ${what}: ${grown.join(', ')}`);
}
