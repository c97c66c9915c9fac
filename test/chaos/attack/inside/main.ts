// npm run attack -- --inside --seconds 60 --seed 1
import { RedisServer } from '../../../rig/redis/redis-server.js';
import { ForkedProcess } from '../../../rig/process/forked-process.js';
import { mebibytes, numberArgument, percentile, Verdicts } from '../../verdicts.js';
import { Friend } from '../friend.js';
import type { Report } from '../protocol.js';
import { Hearer, outcomeOf } from './hearer.js';
import { ENDLESS, MISDEEDS } from './misdeeds.js';
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
/** A node that says nothing for so long serves nobody any more. */
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
const [port] = await Promise.all([attacked.said<number>('listening'), other.said('listening')]);
const [friend, hearer] = [await Friend.connect(port), await Hearer.connect(port)];

async function recruit(withSeed: number): Promise<ForkedProcess> {
  const args = { port, 'redis-port': redis.port, seed: withSeed };
  const intruders = new ForkedProcess(
    inFile('./intruders.ts'),
    Object.entries(args).flatMap(([name, value]) => [`--${name}`, `${value}`]),
  );
  attackers = intruders;
  await intruders.said('ready');
  intruders.yieldProcessor();
  return intruders;
}

async function attack(intruders: ForkedProcess, forSeconds: number): Promise<Map<string, number>> {
  await intruders.ask('begin');
  await wait(forSeconds * 1_000);
  const inputs = await intruders.ask<[string, number][]>('end');
  await intruders.exited;
  return new Map(inputs);
}

/** Waits until the clients that mean well alone are left, then reports. */
async function reportInPeace(): Promise<Report> {
  while ((await attacked.askOrEnd<number>('sockets', HANGS_MS)) > 2) await wait(100);
  return attacked.askOrEnd<Report>('report', HANGS_MS);
}

await attack(await recruit(seed + 1), warmUpSeconds);
const intruders = await recruit(seed);
const before = await reportInPeace();

await other.ask('tick');
friend.start();
await wait(Math.min(3, seconds) * 1_000);
const inPeace = friend.latencies;
friend.reset();
await attacked.ask('watch');
const startedAt = performance.now();
const inputs = await attack(intruders, seconds);
const tookSeconds = (performance.now() - startedAt) / 1_000;
const [sentDuring, heardDuring] = [await other.ask<number>('stop ticking'), hearer.ticks];
await friend.stop();

// What a publication with another node's id has claimed is forgotten after some seconds.
const ticksBefore = hearer.ticks;
await other.ask('tick');
await wait(AFTERWARDS_MS);
await other.ask('stop ticking');
await wait(500);
const heardAfterwards = hearer.ticks - ticksBefore;

const outcomes: [string, string][] = [];
for (const name of Object.keys(MISDEEDS)) outcomes.push([name, await outcomeOf(port, name, ANSWER_MS)]);

let after = await reportInPeace();
for (let i = 0; i < SETTLING_SECONDS && !isWithin(after.heapBytes, before.heapBytes); i++) {
  await wait(1_000);
  after = await attacked.ask<Report>('report');
}
const peer = await other.ask<Report>('report');

const total = [...inputs.values()].reduce((sum, count) => sum + count, 0);
const sumOf = (names: readonly string[]) => names.reduce((sum, name) => sum + (inputs.get(name) ?? 0), 0);
const publications = Object.keys(PUBLICATIONS);
console.log(`\n${total} inputs in ${tookSeconds.toFixed(1)} s, seed ${seed}`);
console.log(`\n${sumOf(publications)} hostile publications`);
for (const name of publications) console.log(`  ${name.padEnd(48)} ${inputs.get(name) ?? 0}`);
console.log(`\n${sumOf(Object.keys(MISDEEDS))} hostile results, and what a client gets for each`);
for (const [name, outcome] of outcomes) {
  console.log(`  ${name.padEnd(48)} ${String(inputs.get(name) ?? 0).padEnd(7)} ${outcome}`);
}
console.log('\nwhat the node counted');
for (const [what, then, now] of [
  ['publications', before.heard, after.heard],
  ['messages refused', before.refusedMessages, after.refusedMessages],
  ['closed', before.closed, after.closed],
] as const) {
  const grown = Object.entries(now).map(([label, count]) => `${label} ${count - (then[label] ?? 0)}`);
  console.log(`  ${what}: ${grown.join(', ')}`);
}
console.log(`  log lines ${JSON.stringify(after.logLines)}`);

const { latencies } = friend;
const p99 = percentile(latencies, 0.99);
const spread = (samples: readonly number[]) =>
  [0.5, 0.99, 1].map((share) => percentile(samples, share).toFixed(1)).join(', ');
console.log(
  `\nhealthy client: ${latencies.length} requests, ${friend.unanswered} unanswered; p50, p99, max in ms`,
);
console.log(`  ${spread(latencies)}, and ${spread(inPeace)} in peace before`);
console.log(
  `  messages of the other node: ${heardDuring} of ${sentDuring} heard under attack, ${heardAfterwards} afterwards`,
);
console.log(
  `  timers late in the node: p99 ${after.loopDelayMs[0].toFixed(0)} ms, max ${after.loopDelayMs[1].toFixed(0)} ms`,
);
console.log(
  `memory after garbage collection: heap ${mebibytes(before.heapBytes)} → ${mebibytes(after.heapBytes)}, RSS ${mebibytes(before.rssBytes)} → ${mebibytes(after.rssBytes)}`,
);
const uncaught = [...after.uncaught, ...peer.uncaught];
for (const error of uncaught.slice(0, 10)) console.log(`uncaught: ${error}`);

const verdicts = new Verdicts();
console.log();
verdicts.check(total >= minInputs, `at least ${minInputs} inputs`);
verdicts.check(uncaught.length === 0, 'no uncaught error, on either node');
verdicts.check(
  friend.isConnected && hearer.isConnected && friend.unanswered === 0,
  'the healthy clients kept their connections and got every answer',
);
verdicts.check(p99 < maxP99Ms, `p99 of the healthy client below ${maxP99Ms} ms`);
const unanswered = outcomes.filter(([name, outcome]) => outcome === 'nothing' && !ENDLESS.has(name));
verdicts.check(
  unanswered.length === 0,
  `every hostile result has an answer or a close code${unanswered.map(([name]) => `; not: ${name}`).join('')}`,
);
verdicts.check(heardAfterwards > 0, 'the other node is heard afterwards');
verdicts.check(after.connections === 2, 'no connection of the attackers is left');
verdicts.check(isWithin(after.heapBytes, before.heapBytes), 'heap within 10 % and 8 MiB of what it was');
process.exitCode = verdicts.exitCode;

isClosing = true;
await friend.leave();
hearer.leave();
for (const node of [attacked, other]) {
  await node.ask('close');
  await node.exited;
}
await redis.kill();
