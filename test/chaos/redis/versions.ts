// npm run chaos:versions -- --old <git ref>: a node of an older version and one of this version on one Redis.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { RedisServer } from '../../rig/redis/redis-server.js';
import { until } from '../../rig/clock/until.js';
import { Checks } from '../checks.js';
import { CrowdConnection } from './crowd-connection.js';
import { PilotedNode } from './piloted-node.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const { values } = parseArgs({ options: { old: { type: 'string', default: 'HEAD' } } });
const checks = new Checks();
const redis = await RedisServer.start();
const copy = mkdtempSync(join(tmpdir(), 'realtime-older-'));
const nodes: PilotedNode[] = [];
try {
  const archive = execFileSync('git', ['archive', values.old, 'lib', 'test', 'package.json'], {
    cwd: root,
    maxBuffer: 256 * 1024 * 1024,
  });
  execFileSync('tar', ['-x', '-C', copy], { input: archive });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const folder = pathToFileURL(join(copy, 'test/chaos/redis/'));
  nodes.push(await PilotedNode.start(0, redis.url), await PilotedNode.startFrom(folder, 1, redis.url));
  const [newer, older] = nodes as [PilotedNode, PilotedNode];
  console.log(`this version beside ${values.old}`);
  await speak('newer to older', newer, older);
  await speak('older to newer', older, newer);
  for (const node of nodes) await isWell(node);
  // Faults of the older version are not counted.
  await hearTomorrow(newer);
  await isWell(newer);
} finally {
  await Promise.all(nodes.map((node) => node.kill()));
  await redis.kill();
  rmSync(copy, { recursive: true, force: true });
}
process.exitCode = checks.exitCode;

/** Every kind of publication from one node to a client of the other. */
async function speak(way: string, from: PilotedNode, to: PilotedNode): Promise<void> {
  const received: number[] = [];
  let closedWith = 0;
  const user = `user-of-${to.index}`;
  const client = new CrowdConnection(to.port, to.index, user, {
    received: (_connection, n) => void received.push(n),
    closed: (_connection, code) => (closedWith = code),
  });
  await client.opened();
  const note = (n: number) => ({ type: 'note', payload: { n, pad: '' } });
  const confirmed = { confirmWithinMs: 5_000 };
  const plain = await from.receipt('sendToUser', user, note(1));
  checks.check(plain.nodes === 1 && plain.failure === null, `${way}: a message reaches one node`);
  const receipts = [
    ['message', await from.receipt('sendToUser', user, note(2), confirmed)],
    ['message to all', await from.receipt('broadcast', note(3), { ...confirmed, except: ['unknown'] })],
    ['message to a connection', await from.receipt('sendToConnection', client.id, note(4), confirmed)],
    ['join', await from.receipt('joinRoom', user, 'shared')],
    ['message to a room', await from.receipt('sendToRoom', 'shared', note(5), confirmed)],
    ['leave', await from.receipt('leaveRoom', user, 'shared')],
  ] as const;
  for (const [what, { delivered, missingNodes }] of receipts) {
    checks.check(delivered === 1 && missingNodes === 0, `${way}: ${what} is carried out and confirmed`);
  }
  const reply = await from.do('requestFromUser', user, { type: 'ask', payload: { n: 6, pad: '' } });
  checks.check(reply.ok, `${way}: a request gets its reply`);
  const none = await from.receipt('sendToRoom', 'shared', note(7), confirmed);
  checks.check(none.delivered === 0, `${way}: leave has taken the client out of the room`);
  const ended = await from.receipt('disconnectUser', user);
  await until('the client is disconnected', () => closedWith !== 0);
  checks.check(ended.delivered === 1 && closedWith === 4_500, `${way}: disconnect closes with its code`);
  checks.check(
    received.filter((n) => n < 6).join() === '1,2,3,4,5',
    `${way}: each message came once, in order`,
  );
}

async function isWell(node: PilotedNode): Promise<void> {
  const { uncaught } = await node.report();
  checks.check(uncaught.length === 0, `no uncaught error on node ${node.index}`);
}

/** Publications that a later version may send. */
async function hearTomorrow(node: PilotedNode): Promise<void> {
  const client = new Redis(redis.url);
  const [name] = (await redis.call('PUBSUB', 'CHANNELS', '*:c:all')) as [string];
  const to = { kind: 'all', key: '' };
  for (const head of [
    { kind: 'tomorrow', to, when: 'later' },
    { kind: 'leave', to: { ...to, kind: 'device' }, room: 'shared' },
    { kind: 'disconnect', to, code: 'soon', reason: null },
    { kind: 'leave', to, room: 'shared', since: 1 },
  ]) {
    await client.publish(name, `tomorrow ${Date.now()}\n${JSON.stringify(head)}\n`);
  }
  client.disconnect();
  const { status } = await node.health();
  checks.check(
    status === 'up',
    'this version keeps serving after unknown kinds, unknown fields and bad values',
  );
}
