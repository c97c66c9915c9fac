import { type OnApplicationShutdown, ServiceUnavailableException } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { Reservation, Table } from '../contract.js';
import type { VenueDatabase, StateChange, VenueState } from './venue-store.js';

const HOUR_MS = 60 * 60 * 1000;
/** A day starts at 5:00, so that an evening may pass midnight. */
const DAY_STARTS_MS = 5 * HOUR_MS;
const TTL_SECONDS = 48 * 60 * 60;

const READ = `
-- Reads the state of the evening.
-- KEYS   version, hash of tables by id, hash of reservations by id
-- Result the version, or false if nothing is written yet; both hashes' values
return { redis.call('GET', KEYS[1]), redis.call('HVALS', KEYS[2]), redis.call('HVALS', KEYS[3]) }
`;

const WRITE = `
-- Writes a change, unless the state has changed since it was read.
-- KEYS   as above
-- ARGV   the version that was read ('' if nothing was written yet), TTL in seconds, then triples of
--        2 for a table or 3 for a reservation, its id, its JSON
-- Result 1, or 0 if another write came first
local version = redis.call('GET', KEYS[1])
if (version or '') ~= ARGV[1] then return 0 end
-- The first version is the time in microseconds, so that it is above all versions of a state that was lost.
local time = redis.call('TIME')
redis.call('SET', KEYS[1], version and version + 1 or time[1] * 1000000 + time[2])
for i = 3, #ARGV, 3 do redis.call('HSET', KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]) end
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[2]) end
return 1
`;

/** The state of any number of servers, in Redis; one set of keys per evening, which expire. */
export class RedisDatabase implements VenueDatabase, OnApplicationShutdown {
  readonly isShared = true;

  private constructor(
    private readonly redis: Redis,
    private readonly initial: () => StateChange,
  ) {}

  static async open(url: string, initial: () => StateChange): Promise<RedisDatabase> {
    const redis = new Redis(url, {
      lazyConnect: true,
      // Fail at once while disconnected, instead of after the client has stopped waiting.
      enableOfflineQueue: false,
      commandTimeout: 2_000,
      // A write whose reply was lost would be made twice.
      autoResendUnfulfilledCommands: false,
    });
    redis.on('error', ({ message }: Error) => console.error(`Redis: ${message}`));
    await redis.connect();
    return new RedisDatabase(redis, initial);
  }

  async read(): Promise<VenueState> {
    const keys = keysOf(new Date(Date.now() - DAY_STARTS_MS));
    const [version, tables, reservations] = (await this.run(READ, keys)) as [
      string | null,
      string[],
      string[],
    ];
    if (version === null) {
      // Several servers may try; the first write wins.
      await this.run(WRITE, keys, ['', TTL_SECONDS, ...commandArguments(this.initial())]);
      return this.read();
    }
    return {
      version: Number(version),
      tables: new Map(tables.map(parse<Table>)),
      reservations: new Map(reservations.map(parse<Reservation>)),
    };
  }

  async write(version: number, change: StateChange): Promise<boolean> {
    const keys = keysOf(new Date(Date.now() - DAY_STARTS_MS));
    return (await this.run(WRITE, keys, [String(version), TTL_SECONDS, ...commandArguments(change)])) === 1;
  }

  /** A secret that all servers share; the first server's candidate is kept. */
  async secret(candidate: string): Promise<string> {
    try {
      await this.redis.set('venue:secret', candidate, 'NX');
      return (await this.redis.get('venue:secret')) ?? candidate;
    } catch (error) {
      throw unavailable(error);
    }
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }

  private async run(script: string, keys: string[], values: (string | number)[] = []): Promise<unknown> {
    try {
      return await this.redis.eval(script, keys.length, ...keys, ...values);
    } catch (error) {
      throw unavailable(error);
    }
  }
}

// The braces put the three keys into one slot of a Redis Cluster.
function keysOf(evening: Date): string[] {
  const date = evening.toLocaleDateString('sv');
  return ['version', 'tables', 'reservations'].map((name) => `venue:{${date}}:${name}`);
}

function commandArguments({ tables = [], reservations = [] }: StateChange): (string | number)[] {
  return [
    ...tables.flatMap((table) => [2, table.id, JSON.stringify(table)]),
    ...reservations.flatMap((reservation) => [3, reservation.id, JSON.stringify(reservation)]),
  ];
}

function parse<Item extends { id: string }>(json: string): [string, Item] {
  const item = JSON.parse(json) as Item;
  return [item.id, item];
}

function unavailable(cause: unknown): Error {
  const message =
    'The reservations cannot be reached right now. Check the floor in a moment before you repeat anything.';
  return new ServiceUnavailableException(message, { cause });
}
