import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  VenueStore,
  type VenueDatabase,
  type StateChange,
  type VenueState,
} from '../../sample/01-venue/src/store/venue-store.js';
import { MemoryDatabase } from '../../sample/01-venue/src/store/memory-database.js';
import { RedisDatabase } from '../../sample/01-venue/src/store/redis-database.js';
import { RedisServer } from '../rig/redis/redis-server.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis?.kill());

const initial = (): StateChange => ({
  tables: [1, 2].map((number) => ({
    id: `t${number}`,
    number,
    area: 'bar',
    seats: 8,
    shape: 'round',
    x: 2.75,
    y: 1.5,
    status: 'free',
    version: 0,
  })),
  reservations: [
    {
      id: 'r1',
      tableId: 't2',
      guestName: 'Haddad',
      partySize: 2,
      at: '2030-01-01T18:00:00.000Z',
      hostId: 'tomas',
      status: 'booked',
      version: 0,
    },
  ],
});

async function redisStore(): Promise<RedisDatabase> {
  const store = await RedisDatabase.open(redis.url, initial);
  onTestFinished(() => store.onApplicationShutdown());
  return store;
}

async function emptyRedis(): Promise<void> {
  await redis.call('FLUSHALL');
}

/** Two servers of one venue; in memory, one server with two writers. */
const stores: [string, () => Promise<[VenueDatabase, VenueDatabase]>][] = [
  [
    'in memory',
    async () => {
      const store = new MemoryDatabase(initial());
      return [store, store];
    },
  ],
  ['in Redis', async () => emptyRedis().then(async () => [await redisStore(), await redisStore()])],
];

const occupied = (state: VenueState) => {
  const table = state.tables.get('t1');
  if (table === undefined) throw new Error('The venue has no table t1.');
  return { tables: [{ ...table, status: 'occupied' as const }] };
};

describe.each(stores)('the venue store %s', (_name, open) => {
  it('starts with the initial state, once', async () => {
    const [here, there] = await open();
    const [one, other] = await Promise.all([here.read(), there.read()]);
    expect([one.tables.size, one.reservations.size]).toEqual([2, 1]);
    expect(other).toEqual(one);
  });

  it('accepts a change of the state that was read, and not of an older one', async () => {
    const [here, there] = await open();
    const { version } = await here.read();
    expect(await here.write(version, occupied(await here.read()))).toBe(true);
    expect(await there.write(version, { tables: [] })).toBe(false);
    const state = await there.read();
    expect(state.version).toBe(version + 1);
    expect(state.tables.get('t1')?.status).toBe('occupied');
    expect(state.tables.size).toBe(2);
  });

  it('loses no change of two servers that write at the same moment', async () => {
    const stores = (await open()).map((store) => new VenueStore(store));
    const { version } = await (stores[0] as VenueStore).read();
    const counts = Array.from({ length: 40 }, (_, i) =>
      (stores[i % 2] as VenueStore).update((state) => {
        const table = state.tables.get('t1');
        return table === undefined ? {} : { tables: [{ ...table, seats: table.seats + 1 }] };
      }),
    );
    await Promise.all(counts);
    const state = await (stores[1] as VenueStore).read();
    expect(state.tables.get('t1')?.seats).toBe(8 + 40);
    expect(state.version).toBe(version + 40);
  });

  it('marks written entries with their new version', async () => {
    const [store] = await open();
    const { state, tables } = await new VenueStore(store).update(occupied);
    expect(tables).toMatchObject([{ id: 't1', version: state.version }]);
    expect(await store.read()).toEqual(state);
  });

  it('writes nothing for an empty change', async () => {
    const [store] = await open();
    const { version } = await store.read();
    await new VenueStore(store).update(() => ({}));
    expect((await store.read()).version).toBe(version);
  });
});

describe('the venue store in Redis', () => {
  it('expires in Redis', async () => {
    await emptyRedis();
    await (await redisStore()).read();
    const keys = (await redis.call('KEYS', '*')) as string[];
    expect(keys).toHaveLength(3);
    for (const key of keys) expect(await redis.call('TTL', key)).toBeGreaterThan(24 * 3_600);
  });

  it('starts above every earlier version after it was lost', async () => {
    const store = await redisStore();
    const { version } = await new VenueStore(store).update(occupied).then(({ state }) => state);
    await emptyRedis();
    const state = await store.read();
    expect(state.version).toBeGreaterThan(version);
    expect(state.tables.get('t1')?.status).toBe('free');
  });

  it('gives every server the same secret', async () => {
    await emptyRedis();
    const stores = [await redisStore(), await redisStore(), await redisStore()];
    const secrets = await Promise.all(stores.map((store, i) => store.secret(`made up by ${i}`)));
    expect(new Set(secrets).size).toBe(1);
  });

  it('answers 503 when Redis is unreachable, within seconds even if Redis does not reply', async () => {
    const store = await redisStore();
    redis.signal('SIGSTOP');
    onTestFinished(() => redis.signal('SIGCONT'));
    await expect(store.read()).rejects.toMatchObject({ status: 503 });
    redis.signal('SIGCONT');
    await redis.kill();
    onTestFinished(() => redis.start());
    await expect.poll(() => store.read().catch((error: unknown) => error)).toMatchObject({ status: 503 });
  });
});
