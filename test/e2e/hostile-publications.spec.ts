import fc from 'fast-check';
import { Redis } from 'ioredis';
import {
  ConnectionRegistry,
  MemoryBackplane,
  MemoryHub,
  RealtimeMetrics,
  RealtimeModule,
  type Backplane,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RECORDED_0_1_0 } from '../backplane/recorded-publications.js';
import { RedisServer } from '../rig/redis/redis-server.js';
import { until } from '../rig/clock/until.js';
import { CapturedLog } from '../rig/process/captured-log.js';
import { ProcessFaults } from '../rig/process/process-faults.js';
import { RestaurantGateway } from './restaurant.js';

/** A unique number per publication, since a repeated one would be counted as late. */
let sequence = 0;
const envelope = (line: string, text = '') => `hostile ${++sequence}\n${line}\n${text}`;

describe('a node that receives publications of another version or of no version', () => {
  const log = new CapturedLog();
  let redis: RedisServer;
  let app: RealtimeTestApp;
  let ann: TestClient;
  let publisher: Redis;
  let faults: ProcessFaults;
  let channel: string;

  const received = (outcome: string) => app.get(RealtimeMetrics).backplane.received.of(outcome);
  const say = (message: string | Buffer) => publisher.publish(channel, message);

  /** Resolves when all earlier publications have been processed, seen by a client receiving a later message. */
  async function isAlive(): Promise<void> {
    const mark = `mark-${++sequence}`;
    const text = JSON.stringify({ type: 'table:status_changed', payload: { tableId: mark, status: 'free' } });
    expect(await say(envelope('u table:status_changed ann', text))).toBe(1);
    for (;;) {
      const { payload } = await ann.nextOfType('table:status_changed');
      if ((payload as { tableId: string } | null)?.tableId === mark) return;
    }
  }

  beforeAll(async () => {
    faults = new ProcessFaults();
    redis = await RedisServer.start();
    publisher = new Redis(redis.url);
    app = await createRealtimeTestApp(
      {
        imports: [
          RealtimeModule.forRoot({ redis: redis.url, authenticate: ({ token }) => ({ userId: token }) }),
        ],
        providers: [RestaurantGateway],
      },
      { logger: log },
    );
    [channel] = (await redis.call('PUBSUB', 'CHANNELS', '*:c:all')) as [string];
    ann = await app.connect('/ws', { token: 'ann' });
  });
  afterAll(async () => {
    publisher?.disconnect();
    await app?.close();
    await redis?.kill();
    faults.stop();
    expect(faults.seen).toEqual([]);
  });

  it('ignores and counts an unknown kind of recipient, a bad close code and a reason of null', async () => {
    const [unreadable, unknown] = [received('unreadable'), received('unknown')];
    const to = { kind: 'user', key: 'ann' };
    const message = { kind: 'message', to, type: 'x', except: [], delivery: 'live' };
    await say(envelope(JSON.stringify({ ...message, to: { ...to, kind: 'device' } }), '{}'));
    await say(envelope(JSON.stringify({ kind: 'disconnect', to, code: 99_999, reason: 'no' })));
    await say(envelope(JSON.stringify({ kind: 'disconnect', to, code: 4_500, reason: null })));
    await isAlive();
    expect(received('unreadable') - unreadable).toBe(2);
    expect(received('unknown') - unknown).toBe(1);
    expect(app.get(ConnectionRegistry).size).toBe(1);
  });

  it('survives every valid publication with one part replaced', async () => {
    const before = received('unreadable');
    const base = fc.constantFrom(...RECORDED_0_1_0.map(({ publication }) => publication));
    // Skip replacements that validly close the connection.
    const ofAnn = (given: object) =>
      JSON.parse(
        'code' in given ? JSON.stringify(given) : JSON.stringify(given).replaceAll('"ada"', '"ann"'),
      ) as object;
    const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'length'));
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(null, -1, 0, 1e308, '', [], {}, [null], 2 ** 31));
    const mutation = fc.tuple(base, fc.nat(), fc.boolean(), key, value);
    const mutated = fc
      .sample(mutation, { numRuns: 3_000, seed: 26 })
      .map(([given, pick, isAdded, name, put]) => {
        const copy = ofAnn(given) as Record<string, unknown>;
        const nested = Object.values(copy).filter(
          (it) => typeof it === 'object' && it !== null && !Array.isArray(it),
        );
        const target = [copy, ...nested][pick % (nested.length + 1)] as Record<string, unknown>;
        const names = Object.keys(target);
        target[isAdded ? name : (names[pick % names.length] ?? 'kind')] = put;
        delete copy.text;
        return envelope(JSON.stringify(copy), '{"type":"table:status_changed"}');
      });
    await Promise.all(mutated.map(say));
    await isAlive();
    expect(received('unreadable') - before).toBeGreaterThan(1_000);
  });

  it('survives random bytes, in every part of an envelope', async () => {
    const before = received('unreadable');
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    const sampled = fc.sample(fc.tuple(bytes, bytes, fc.nat(4)), { numRuns: 2_000, seed: 7 });
    for (const [one, other, shape] of sampled) {
      const head = Buffer.from(`hostile ${++sequence}\n`);
      const newline = Buffer.from('\n');
      const parts = [
        [one],
        [one, newline, other, newline],
        [head, one, newline, other],
        [head, Buffer.from('{'), one, newline],
        [head, Buffer.from('r x floor\n'), Buffer.from([0xff]), other],
      ];
      void say(Buffer.concat(parts[shape] as Buffer[])).catch(() => {});
    }
    await isAlive();
    expect(received('unreadable') - before).toBeGreaterThan(1_000);
  });

  it('survives JSON 100,000 levels deep and a head of 9 MB', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const to = JSON.stringify({ kind: 'user', key: 'ann' });
    const replyTo = '"replyTo":{"node":"n","id":"1"}';
    await say(
      envelope(`{"kind":"request","to":${to},"type":"host:ask","payload":${deep},"timeoutMs":50,${replyTo}}`),
    );
    await say(
      envelope(
        `{"kind":"reply","id":"1","node":"n","delivered":0,"dropped":0,"answer":{"ok":true,"payload":${deep}}}`,
      ),
    );
    await say(envelope(`{"kind":"leave","to":${deep},"room":"x"}`));
    await isAlive();
    const before = received('unreadable');
    await say(envelope(`{"kind":"leave","to":${to},"room":"x","filler":"${'x'.repeat(9_000_000)}"}`));
    await isAlive();
    expect(received('unreadable') - before).toBe(1);
  });

  it('carries out publications of version 0.1.0, and those with fields added by a later version', async () => {
    for (const { publication } of RECORDED_0_1_0) {
      const { text = '', ...head } = publication as { kind: string; to?: object; text?: string };
      if (head.kind === 'disconnect') continue;
      const to = { kind: 'user', key: 'ann' };
      const later = { ...head, ...(head.to && { to }), since: 'tomorrow', except: [] };
      const before = received('ok');
      await say(envelope(JSON.stringify(later), text));
      await until(`${head.kind} is taken`, () => received('ok') === before + 1);
    }
    const to = { kind: 'user', key: 'ann', of: 'tomorrow' };
    await say(envelope(JSON.stringify({ kind: 'disconnect', to, code: 4_321, reason: 'bye', since: 1 })));
    expect(await ann.closed).toMatchObject({ code: 4_321, reason: 'bye' });
    expect(log.of('error')).toEqual([]);
  });
});

describe('a node with a custom backplane', () => {
  it('logs a publication that fails, and throws nothing into the backplane', async () => {
    const [log, hub] = [new CapturedLog(), new MemoryHub()];
    const app = await createRealtimeTestApp(
      {
        imports: [
          RealtimeModule.forRoot({
            backplane: new MemoryBackplane(hub),
            authenticate: ({ token }) => ({ userId: token }),
          }),
        ],
        providers: [RestaurantGateway],
      },
      { logger: log },
    );
    try {
      await app.connect('/ws', { token: 'ann' });
      const other: Backplane = new MemoryBackplane(hub);
      const to = { kind: 'user', key: 'ann' } as const;
      const sent = other.publish('all', { kind: 'disconnect', to, code: 99_999, reason: '' });
      expect(await sent).toEqual({ nodes: 1 });
      expect(log.of('error').join()).toContain('99999');
    } finally {
      await app.close();
    }
  });
});
