// npm run attack -- --inside --seconds 60 --seed 1
import { RedisServer } from '../../../rig/redis/redis-server.js';
import { ForkedProcess } from '../../../rig/process/forked-process.js';
import { mebibytes, numberArgument, percentile, Checks } from '../../checks.js';
import { HealthyClient } from '../healthy-client.js';
import type { Report } from '../protocol.js';
import { TickClient, outcomeOf } from './tick-client.js';
import { ENDLESS, HOSTILE_HANDLERS } from './hostile-handlers.js';
import { PUBLICATIONS } from './publications.js';

const seconds = numberArgument('seconds', 60);
const seed = numberArgument('seed', 1);
const minInputs = numberArgument('min-inputs', 50_000);
const maxP99Ms = numberArgument('max-p99-ms', 500);
const warmUpSeconds = numberArgument('warm-up', 10);
const MEMORY_SLACK = 1.1;
const MEMORY_SLACK_BYTES = 8 * 1_048_576;
const SETTLING_SECONDS = 150;
const ANSWER_MS = 2_000;
const AFTERWARDS_MS = 5_000;
/** A node that does not reply within this time counts as hung. */
const HANGS_MS = 20_000;

const inFile = (name: string) => new URL(name, import.meta.url);
const isWithin = (now: number, then: number) => now <= then * MEMORY_SLACK + MEMORY_SLACK_BYTES;
const wait = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

let isClosing = false;
let attackers: ForkedProcess | undefined;
const redis = await RedisServer.start();
const startNode = () =>
  new ForkedProcess(inFile('./node.ts'), ['--redis-port', `${redis.port}`], ['--expose-gc']);
const [attacked, other] = [startNode(), startNode()];
for (const node of [attacked, other]) {
  void node.exited.then(({ code, signal }) => {
    if (isClosing) return;
    for (const child of [attacked, other, attackers]) child?.signal('SIGKILL');
    void redis.kill();
    console.log(`FAIL  a node ended under attack, or hung, with ${code ?? signal}`);
    process.exit(1);
  });
}
const [port] = await Promise.all([attacked.next<number>('listening'), other.next('listening')]);
const [healthy, tickClient] = [await HealthyClient.connect(port), await TickClient.connect(port)];

async function startAttackers(withSeed: number): Promise<ForkedProcess> {
  const args = { port, 'redis-port': redis.port, seed: withSeed };
  const started = new ForkedProcess(
    inFile('./attackers.ts'),
    Object.entries(args).flatMap(([name, value]) => [`--${name}`, `${value}`]),
  );
  attackers = started;
  await started.next('ready');
  started.yieldProcessor();
  return started;
}

async function attack(by: ForkedProcess, forSeconds: number): Promise<Map<string, number>> {
  await by.request('begin');
  await wait(forSeconds * 1_000);
  const inputs = await by.request<[string, number][]>('end');
  await by.exited;
  return new Map(inputs);
}

/** Waits until only the well-behaved clients are connected, then reports. */
async function reportAtRest(): Promise<Report> {
  while ((await attacked.requestOrKill<number>('sockets', HANGS_MS)) > 2) await wait(100);
  return attacked.requestOrKill<Report>('report', HANGS_MS);
}

await attack(await startAttackers(seed + 1), warmUpSeconds);
const measured = await startAttackers(seed);
const before = await reportAtRest();

await other.request('tick');
healthy.start();
await wait(Math.min(3, seconds) * 1_000);
const atRest = healthy.latencies;
healthy.reset();
await attacked.request('watch');
const startedAt = performance.now();
const inputs = await attack(measured, seconds);
const tookSeconds = (performance.now() - startedAt) / 1_000;
const [sentDuring, receivedDuring] = [await other.request<number>('stop ticking'), tickClient.ticks];
await healthy.stop();

// A sequence claimed by a publication with another node's id expires after some seconds.
const ticksBefore = tickClient.ticks;
await other.request('tick');
await wait(AFTERWARDS_MS);
await other.request('stop ticking');
await wait(500);
const receivedAfterwards = tickClient.ticks - ticksBefore;

const outcomes: [string, string][] = [];
for (const name of Object.keys(HOSTILE_HANDLERS))
  outcomes.push([name, await outcomeOf(port, name, ANSWER_MS)]);

let after = await reportAtRest();
for (let i = 0; i < SETTLING_SECONDS && !isWithin(after.heapBytes, before.heapBytes); i++) {
  await wait(1_000);
  after = await attacked.request<Report>('report');
}
const peer = await other.request<Report>('report');

const total = [...inputs.values()].reduce((sum, count) => sum + count, 0);
const sumOf = (names: readonly string[]) => names.reduce((sum, name) => sum + (inputs.get(name) ?? 0), 0);
const publications = Object.keys(PUBLICATIONS);
console.log(`\n${total} inputs in ${tookSeconds.toFixed(1)} s, seed ${seed}`);
console.log(`\n${sumOf(publications)} hostile publications`);
for (const name of publications) console.log(`  ${name.padEnd(48)} ${inputs.get(name) ?? 0}`);
console.log(`\n${sumOf(Object.keys(HOSTILE_HANDLERS))} hostile results, and what a client gets for each`);
for (const [name, outcome] of outcomes) {
  console.log(`  ${name.padEnd(48)} ${String(inputs.get(name) ?? 0).padEnd(7)} ${outcome}`);
}
console.log('\nwhat the node counted');
for (const [what, then, now] of [
  ['publications', before.publications, after.publications],
  ['messages refused', before.refusedMessages, after.refusedMessages],
  ['closed', before.closed, after.closed],
] as const) {
  const grown = Object.entries(now).map(([label, count]) => `${label} ${count - (then[label] ?? 0)}`);
  console.log(`  ${what}: ${grown.join(', ')}`);
}
console.log(`  log lines ${JSON.stringify(after.logLines)}`);

const { latencies } = healthy;
const p99 = percentile(latencies, 0.99);
const spread = (samples: readonly number[]) =>
  [0.5, 0.99, 1].map((share) => percentile(samples, share).toFixed(1)).join(', ');
console.log(
  `\nhealthy client: ${latencies.length} requests, ${healthy.unanswered} unanswered; p50, p99, max in ms`,
);
console.log(`  ${spread(latencies)}, and ${spread(atRest)} at rest before`);
console.log(
  `  messages of the other node: ${receivedDuring} of ${sentDuring} received under attack, ${receivedAfterwards} afterwards`,
);
console.log(
  `  timers late in the node: p99 ${after.loopDelayMs[0].toFixed(0)} ms, max ${after.loopDelayMs[1].toFixed(0)} ms`,
);
console.log(
  `memory after garbage collection: heap ${mebibytes(before.heapBytes)} → ${mebibytes(after.heapBytes)}, RSS ${mebibytes(before.rssBytes)} → ${mebibytes(after.rssBytes)}`,
);
const uncaught = [...after.uncaught, ...peer.uncaught];
for (const error of uncaught.slice(0, 10)) console.log(`uncaught: ${error}`);

const checks = new Checks();
console.log();
checks.check(total >= minInputs, `at least ${minInputs} inputs`);
checks.check(uncaught.length === 0, 'no uncaught error, on either node');
checks.check(
  healthy.isConnected && tickClient.isConnected && healthy.unanswered === 0,
  'the healthy clients kept their connections and got every reply',
);
checks.check(p99 < maxP99Ms, `p99 of the healthy client below ${maxP99Ms} ms`);
const unanswered = outcomes.filter(([name, outcome]) => outcome === 'nothing' && !ENDLESS.has(name));
checks.check(
  unanswered.length === 0,
  `every hostile result gets a reply or a close code${unanswered.map(([name]) => `; not: ${name}`).join('')}`,
);
checks.check(receivedAfterwards > 0, 'messages of the other node arrive afterwards');
checks.check(after.connections === 2, 'no connection of the attackers is left');
checks.check(isWithin(after.heapBytes, before.heapBytes), 'heap within 10 % and 8 MiB of what it was');
process.exitCode = checks.exitCode;

isClosing = true;
await healthy.leave();
tickClient.leave();
for (const node of [attacked, other]) {
  await node.request('close');
  await node.exited;
}
await redis.kill();
