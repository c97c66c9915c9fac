// npm run chaos:oracle -- --seconds 120 --seed 1: four nodes, 2,000 users, every verb; compares deliveries with entitlements.
import { until } from '../../../rig/clock/until.js';
import { RedisServer } from '../../../rig/redis/redis-server.js';
import { Random } from '../../random.js';
import { numberArgument, Checks } from '../../checks.js';
import { Crowd } from './crowd.js';
import { CrowdMoves } from './crowd-moves.js';
import { CrowdSends } from './crowd-sends.js';
import { DeliveryOracle } from './delivery-oracle.js';
import { PilotedNode } from '../piloted-node.js';

const seconds = numberArgument('seconds', 120);
const users = numberArgument('users', 2_000);
const rooms = numberArgument('rooms', 150);
const perSecond = numberArgument('rate', 100);
const NODES = 4;
const MAX_UNDER_WAY = 100;
const BEACON_MS = 400;
const FORGET_MS = 5_000;
const SETTLE_MS = 60_000;

const server = await RedisServer.start();
const nodes: PilotedNode[] = [];
const random = new Random(numberArgument('seed', 1));
let unexpectedCloses = 0;
const crowd: Crowd = new Crowd(nodes, random, {
  received: (connection, n) => oracle.received(connection, n),
  closed: ({ isLeaving }) => {
    if (!isLeaving && !isOver) unexpectedCloses++;
  },
});
const oracle: DeliveryOracle = new DeliveryOracle(crowd);
const sends = new CrowdSends(crowd, nodes, oracle, random);
const moves = new CrowdMoves(crowd, nodes, oracle, random);
const failures: string[] = [];
let isOver = false;
let underWay = 0;
let skipped = 0;
const done: Record<string, number> = {};

/** The relative frequency of each action. */
const WEIGHTS: readonly (readonly [number, string, () => Promise<void>])[] = [
  [30, 'sendToRoom', () => sends.toRoom()],
  [20, 'sendToUser', () => sends.toUser()],
  [8, 'sendToUsers', () => sends.toUsers()],
  [8, 'sendToRooms', () => sends.toRooms()],
  [10, 'sendToConnection', () => sends.toConnection()],
  [1, 'broadcast', () => sends.toAll()],
  [4, 'requestFromUser', () => sends.requestFromUser()],
  [4, 'requestFromConnection', () => sends.requestFromConnection()],
  [2, 'joinRoom', () => moves.joinRoom()],
  [2, 'leaveRoom', () => moves.leaveRoom()],
  [1, 'disconnectUser', () => moves.disconnectUser()],
  [1, 'disconnectSession', () => moves.disconnectSession()],
  [1, 'disconnectConnection', () => moves.disconnectConnection()],
  [12, 'join or leave', () => moves.wander()],
  [5, 'reconnect', () => moves.reconnect()],
];
const DEEDS = WEIGHTS.flatMap(([weight, ...deed]) => Array.from({ length: weight }, () => deed));

try {
  nodes.push(
    ...(await Promise.all(Array.from({ length: NODES }, (_, i) => PilotedNode.start(i, server.url)))),
  );
  const gatheredAt = performance.now();
  await crowd.gather(users, rooms);
  await sends.lightBeacons();
  console.log(
    `${users} users, ${crowd.seen.size} connections on ${NODES} nodes, ${rooms} rooms of 2–200 members, ` +
      `gathered in ${((performance.now() - gatheredAt) / 1_000).toFixed(1)} s`,
  );
  await run();
  isOver = true;
  await until('everything is settled', () => underWay === 0, SETTLE_MS);
  await Promise.all(nodes.map((node) => sends.beacon(node)));
  await Promise.all(nodes.map((node) => sends.beacon(node)));
  await until('what is owed has come', () => oracle.missing === 0, 5_000).catch(() => {});
  conclude(await Promise.all(nodes.map((node) => node.report())));
} finally {
  isOver = true;
  await crowd.leave();
  await Promise.all(nodes.map((node) => node.kill()));
  await server.kill();
}

/** Runs a random action every few milliseconds; skips actions when the machine is overloaded. */
async function run(): Promise<void> {
  const beacon = setInterval(
    () => nodes.forEach((node) => keep('beacon', () => sends.beacon(node))),
    BEACON_MS,
  );
  const forget = setInterval(() => crowd.forget((connection) => oracle.gone(connection)), FORGET_MS);
  const endsAt = performance.now() + seconds * 1_000;
  let dueAt = performance.now();
  while (performance.now() < endsAt) {
    dueAt = Math.max(dueAt + 1_000 / perSecond, performance.now() - 1_000);
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const [name, act] = random.pick(DEEDS);
    if (underWay >= MAX_UNDER_WAY) skipped++;
    else keep(name, act);
  }
  clearInterval(beacon);
  clearInterval(forget);
}

function keep(name: string, act: () => Promise<void>): void {
  underWay++;
  done[name] = (done[name] ?? 0) + 1;
  act()
    .catch((error: unknown) => failures.push(`${name}: ${String(error)}`))
    .finally(() => underWay--);
}

function conclude(reports: Awaited<ReturnType<PilotedNode['report']>>[]): void {
  const { found, missing } = oracle;
  const share = found.expected / (found.expected + found.unsettled);
  console.log(
    `issued: ${Object.entries(done)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
  );
  console.log(`left out because ${MAX_UNDER_WAY} others were under way: ${skipped}`);
  console.log(
    `messages: ${found.messages}, unchecked because a node never confirmed them: ${oracle.unchecked}`,
  );
  console.log(
    `deliveries: expected ${found.expected}, seen ${found.received}; due to clients that cut off: ${found.cutOff}`,
  );
  console.log(`checked: ${(share * 100).toFixed(2)} % (of ${found.unsettled} the membership was changing)`);
  console.log(
    `missing ${missing}, doubled ${found.doubled}, out of order ${found.reordered}, stray ${found.stray}`,
  );
  console.log(`doubled while their membership was changing: ${found.doubledUnsettled}`);
  console.log(
    `claims of receipts and replies: ${found.claims}, false: ${found.falseClaims}; partial and reported so: ${found.partial}`,
  );
  for (const example of [...oracle.examples, ...oracle.owedExamples(), ...failures.slice(0, 10)]) {
    console.log(`  ${example}`);
  }
  const uncaught = reports.flatMap((report) => report.uncaught);
  for (const error of uncaught) console.log(`  ${error}`);
  const checks = new Checks();
  checks.check(missing === 0, 'none missing');
  checks.check(found.doubled === 0, 'none doubled');
  checks.check(found.reordered === 0, 'none out of order');
  checks.check(found.stray === 0, 'none to a connection that was not entitled');
  checks.check(found.falseClaims === 0, 'every receipt and reply was correct');
  checks.check(oracle.unchecked <= NODES * 2 && share > 0.5, 'most deliveries were checked');
  checks.check(unexpectedCloses === 0, `no connection closed unexpectedly (${unexpectedCloses})`);
  checks.check(failures.length === 0 && uncaught.length === 0, 'no error');
  process.exitCode = checks.exitCode;
}
