// Sends hostile publications to Redis, and requests that make handlers misbehave, until the parent ends it.
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { WebSocket } from 'ws';
import { onRequest, send } from '../../../rig/process/forked-process.js';
import { Random } from '../../random.js';
import { numberArgument } from '../../checks.js';
import { HOSTILE_HANDLERS } from './hostile-handlers.js';
import { channelsOf, PUBLICATIONS } from './publications.js';

const PUBLISHERS = 4;
const CALLERS = 12;
const BATCH = 20;
const LOOK_EVERY = 50;
const STAY_MS = 100;

const port = numberArgument('port', 0);
const random = new Random(numberArgument('seed', 1));
const redis = new Redis({ host: '127.0.0.1', port: numberArgument('redis-port', 0) });
const inputs = new Map<string, number>();
let isOver = false;

const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
const count = (kind: string, amount = 1) => void inputs.set(kind, (inputs.get(kind) ?? 0) + amount);

async function publish(): Promise<void> {
  const kinds = Object.entries(PUBLICATIONS);
  let known = await channelsOf(redis);
  for (let round = 1; !isOver; round++) {
    if (round % LOOK_EVERY === 0) known = await channelsOf(redis);
    const batch = Array.from({ length: BATCH }, () => {
      const [kind, make] = random.pick(kinds);
      count(kind);
      return redis.publish(random.pick(known.channels), make(random, known.nodes));
    });
    await Promise.all(batch);
    await pause(1);
  }
}

async function call(): Promise<void> {
  const names = Object.keys(HOSTILE_HANDLERS);
  for (let i = 0; !isOver; i++) {
    // Some are the recipients of the publications.
    const token = random.below(2) === 0 ? 'victim' : `intruder${random.below(20)}`;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
      headers: { authorization: `Bearer ${token}` },
    });
    socket.on('error', () => {});
    const isOpen = await Promise.race([
      once(socket, 'open').then(() => true),
      once(socket, 'close').then(() => false),
    ]);
    for (let requested = random.below(4); isOpen && requested >= 0; requested--) {
      const name = random.pick(names);
      count(name);
      const id = random.below(4) === 0 ? undefined : `${i}-${requested}`;
      socket.send(JSON.stringify({ type: 'misbehave', id, payload: { name } }));
      if (random.below(4) === 0) socket.send(JSON.stringify({ type: '$cancel', id }));
    }
    await pause(random.below(STAY_MS));
    if (random.below(2) === 0) socket.terminate();
    else socket.close();
    if (socket.readyState !== WebSocket.CLOSED) await Promise.race([once(socket, 'close'), pause(1_000)]);
    socket.terminate();
  }
}

let attacks: Promise<void>[] = [];
onRequest('begin', () => {
  attacks = [...Array.from({ length: PUBLISHERS }, publish), ...Array.from({ length: CALLERS }, call)];
});
onRequest('end', async () => {
  isOver = true;
  await Promise.race([Promise.allSettled(attacks), pause(5_000)]);
  redis.disconnect();
  setTimeout(() => process.exit(0), 200);
  return [...inputs];
});
send('ready', null);
