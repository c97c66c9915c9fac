// One venue on three nodes: a Redis server, three node processes, and a round-robin TCP proxy.
// Ctrl+C stops everything. `kill -9` one of the printed pids and watch its pages reconnect.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const NODES = 3;
const nodes = [];
let redis;
let isClosing = false;

process.once('SIGINT', () => void close(0));
process.once('SIGTERM', () => void close(0));

try {
  const redisPort = await freePort();
  const flags = [
    '--port',
    redisPort,
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    tmpdir(),
  ];
  // In its own process group: Ctrl+C would stop Redis before the nodes have shut down.
  redis = start('redis-server', flags, { detached: true });
  await lineOf(redis, /Ready to accept connections/);
  redis.once('exit', () => void close(1));

  const env = {
    ...process.env,
    PORT: '0',
    REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    JWT_SECRET: process.env.JWT_SECRET ?? randomBytes(32).toString('base64url'),
  };
  const ports = await Promise.all(Array.from({ length: NODES }, () => openNode(env)));
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, roundRobin(ports));
  server.listen(process.env.PORT ?? 3000);
  await once(server, 'listening');
  const pids = nodes.map(({ pid }, i) => `${pid} (:${ports[i]})`).join(', ');
  console.log(
    `Venue is open: http://localhost:${server.address().port} on three nodes, pids ${pids}; redis-cli -p ${redisPort}`,
  );
} catch (error) {
  console.error(error.code === 'ENOENT' ? 'The cluster needs redis-server in PATH.' : error.message);
  await close(1);
}

async function openNode(env) {
  const node = start(process.execPath, [fileURLToPath(new URL('./dist/main.js', import.meta.url))], { env });
  nodes.push(node);
  const [, port] = await lineOf(node, /^Venue is open: \S+:(\d+)$/);
  node.once('exit', (code, signal) => {
    if (isClosing) return;
    console.log(`node ${node.pid} has ended (${signal ?? code}); its pages reconnect to another one`);
    if (nodes.every(hasEnded)) void close(1);
  });
  return Number(port);
}

/** Forwards each TCP connection to the next node that accepts it. */
function roundRobin(ports) {
  let turn = 0;
  return (client) => {
    client.on('error', () => client.destroy());
    offer(client, [...ports.slice(turn), ...ports.slice(0, turn)]);
    turn = (turn + 1) % ports.length;
  };
}

function offer(client, [port, ...others]) {
  if (port === undefined || client.destroyed) return client.destroy();
  const node = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const next = () => offer(client, others);
  node.once('error', next);
  node.once('connect', () => {
    node.off('error', next).on('error', () => client.destroy());
    // When one side closes, close the other, so that no page keeps a dead connection.
    node.once('close', () => client.destroy());
    client.once('close', () => node.destroy());
    client.pipe(node).pipe(client);
  });
}

function start(command, parameters, options = {}) {
  return spawn(command, parameters.map(String), { stdio: ['ignore', 'pipe', 'inherit'], ...options });
}

function hasEnded({ exitCode, signalCode }) {
  return exitCode !== null || signalCode !== null;
}

/** The first matching line of a child's output; rejects if it exits before. */
async function lineOf(child, pattern) {
  await once(child, 'spawn');
  for await (const line of createInterface({ input: child.stdout })) {
    const found = pattern.exec(line);
    if (!found) continue;
    child.stdout.resume();
    return found;
  }
  throw new Error(`${child.spawnfile} ended before it was ready.`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Stops the nodes first, since they need Redis for their shutdown. */
async function close(code) {
  if (isClosing) return;
  isClosing = true;
  const open = nodes.filter((node) => !hasEnded(node));
  const ended = open.map((node) => once(node, 'exit'));
  for (const node of open) node.kill('SIGTERM');
  await Promise.all(ended);
  redis?.kill('SIGTERM');
  process.exit(code);
}
