// npm run chaos:resubscribe -- --channels 300000: Redis dies and restarts empty; one node subscribes to all its channels again.
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { RedisNode } from '../../rig/redis/redis-node.js';
import { RedisServer } from '../../rig/redis/redis-server.js';
import { until } from '../../rig/clock/until.js';
import { conclude } from './failover-report.js';

const WAVE = 20_000;
const WITHIN_MS = 60_000;
const MAX_BYTES_PER_CHANNEL = 400;
const OUTPUT_LIMIT = 32 * 1024 * 1024;

const { values } = parseArgs({ options: { channels: { type: 'string', default: '300000' } } });
const count = Number(values.channels);
const server = await RedisServer.start();
const node = new RedisNode(server.url, 'node');
const publisher = new RedisNode(server.url, 'publisher');
const found: string[] = [];
let outputBytes = 0;
let isWatching = true;
try {
  await Promise.all([node.start(), publisher.start()]);
  const channels = Array.from({ length: count }, () => Buffer.from(`user:${randomUUID()}`).toString());
  const heapBefore = await heap();
  const begun = performance.now();
  for (let i = 0; i < count; i += WAVE) {
    await node.subscribe(...channels.slice(i, i + WAVE));
  }
  const all = node.backplane.subscriptions.wanted;
  const bytes = Math.round(((await heap()) - heapBefore) / count);
  console.log(
    `${count} channels subscribed in ${ms(begun)} ms; ${bytes} bytes of heap each, name and ioredis' own set included`,
  );
  if (bytes > MAX_BYTES_PER_CHANNEL) found.push(`${bytes} bytes for each channel`);

  const { total } = node.metrics.resubscriptions;
  const killedAt = performance.now();
  await server.kill();
  await until('the node has noticed', () => node.backplane.subscriptions.confirmed === 0);
  await server.start();
  const backAt = performance.now();
  const watching = watchOutput();
  await until('every channel is confirmed', () => node.backplane.subscriptions.confirmed === all, WITHIN_MS);
  console.log(
    `Redis back after ${Math.round(backAt - killedAt)} ms; all ${count} subscribed again ${ms(backAt)} ms later`,
  );
  await until('publications arrive', async () => {
    const outcome = await publisher.publish(channels.at(-1) as string, 'hello').catch(() => ({ nodes: 0 }));
    return outcome.nodes === 1;
  });
  isWatching = false;
  await watching;
  const counted = Number(/channels=(\d+)/.exec(`channels=${await subscribed()}`)?.[1]);
  console.log(
    `Redis counts ${counted} channels; its output buffer held at most ${outputBytes} bytes of ${OUTPUT_LIMIT}`,
  );
  const rounds = node.metrics.resubscriptions.total - total;
  console.log(`rounds of resubscription: ${rounds}; state: ${node.state}`);
  if (rounds !== 1) found.push(`${rounds} rounds of resubscription`);
  if (outputBytes > OUTPUT_LIMIT / 4) found.push(`an output buffer of ${outputBytes} bytes`);
} finally {
  isWatching = false;
  await Promise.all([node, publisher].map(({ backplane }) => backplane.stop()));
  await server.kill();
}
conclude(found);

async function subscribed(): Promise<number> {
  return ((await server.call('PUBSUB', 'CHANNELS', '*:c:user:*')) as string[]).length;
}

/** The limit of Redis' output buffer per subscriber. */
async function watchOutput(): Promise<void> {
  while (isWatching) {
    const list = String(await server.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
    for (const [, omem] of list.matchAll(/ omem=(\d+)/g)) outputBytes = Math.max(outputBytes, Number(omem));
  }
}

async function heap(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

function ms(since: number): number {
  return Math.round(performance.now() - since);
}
