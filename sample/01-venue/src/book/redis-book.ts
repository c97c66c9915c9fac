import { type OnApplicationShutdown, ServiceUnavailableException } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { Reservation, Table } from '../contract.js';
import type { BookStore, Entry, Page } from './book.js';

const HOUR_MS = 60 * 60 * 1000;
/** Whoever still sits there at five in the morning is a guest of yesterday evening. */
const CLOSING_TIME_MS = 5 * HOUR_MS;
const KEPT_SECONDS = 48 * 60 * 60;

const READ = `
-- Reads the whole page.
-- KEYS   version, hash of tables by id, hash of reservations by id
-- Result the version, or false while nothing is written; both hashes' values
return { redis.call('GET', KEYS[1]), redis.call('HVALS', KEYS[2]), redis.call('HVALS', KEYS[3]) }
`;

const WRITE = `
-- Writes an entry, unless the book has changed since it was read.
-- KEYS   as above
-- ARGV   the version that was read ('' while nothing was written), seconds to keep the page, then threes of
--        2 for a table or 3 for a reservation, its id, its JSON
-- Result 1, or 0 when somebody was quicker
local version = redis.call('GET', KEYS[1])
if (version or '') ~= ARGV[1] then return 0 end
-- In microseconds, so that a book that was lost begins above every version anybody has seen of it.
local time = redis.call('TIME')
redis.call('SET', KEYS[1], version and version + 1 or time[1] * 1000000 + time[2])
for i = 3, #ARGV, 3 do redis.call('HSET', KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]) end
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[2]) end
return 1
`;

/** The book of a house with any number of servers; each evening has a page of its own, which Redis forgets later. */
export class RedisBook implements BookStore, OnApplicationShutdown {
  private constructor(
    private readonly redis: Redis,
    private readonly opening: () => Entry,
  ) {}

  static async open(url: string, opening: () => Entry): Promise<RedisBook> {
    const redis = new Redis(url, {
      lazyConnect: true,
      // An answer "not now" is better than one that comes when nobody waits for it any more.
      enableOfflineQueue: false,
      commandTimeout: 2_000,
      // A write whose answer was lost would be made twice.
      autoResendUnfulfilledCommands: false,
    });
    redis.on('error', ({ message }: Error) => console.error(`The book: ${message}`));
    await redis.connect();
    return new RedisBook(redis, opening);
  }

  async read(): Promise<Page> {
    const keys = keysOf(new Date(Date.now() - CLOSING_TIME_MS));
    const [version, tables, reservations] = (await this.run(READ, keys)) as [
      string | null,
      string[],
      string[],
    ];
    if (version === null) {
      // Every server may try; the first one opens the evening.
      await this.run(WRITE, keys, ['', KEPT_SECONDS, ...written(this.opening())]);
      return this.read();
    }
    return {
      version: Number(version),
      tables: new Map(tables.map(parse<Table>)),
      reservations: new Map(reservations.map(parse<Reservation>)),
    };
  }

  async write(version: number, entry: Entry): Promise<boolean> {
    const keys = keysOf(new Date(Date.now() - CLOSING_TIME_MS));
    return (await this.run(WRITE, keys, [String(version), KEPT_SECONDS, ...written(entry)])) === 1;
  }

  /** A secret that all servers of the house know; the first one makes it up. */
  async secret(candidate: string): Promise<string> {
    try {
      await this.redis.set('venue:secret', candidate, 'NX');
      return (await this.redis.get('venue:secret')) ?? candidate;
    } catch (error) {
      throw outOfReach(error);
    }
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }

  private async run(script: string, keys: string[], values: (string | number)[] = []): Promise<unknown> {
    try {
      return await this.redis.eval(script, keys.length, ...keys, ...values);
    } catch (error) {
      throw outOfReach(error);
    }
  }
}

// The braces keep the three together on one node of a Redis Cluster.
function keysOf(evening: Date): string[] {
  const date = evening.toLocaleDateString('sv');
  return ['version', 'tables', 'reservations'].map((name) => `venue:{${date}}:${name}`);
}

function written({ tables = [], reservations = [] }: Entry): (string | number)[] {
  return [
    ...tables.flatMap((table) => [2, table.id, JSON.stringify(table)]),
    ...reservations.flatMap((reservation) => [3, reservation.id, JSON.stringify(reservation)]),
  ];
}

function parse<Item extends { id: string }>(json: string): [string, Item] {
  const item = JSON.parse(json) as Item;
  return [item.id, item];
}

function outOfReach(cause: unknown): Error {
  const message = "The house's book is out of reach. Look again in a moment before you repeat anything.";
  return new ServiceUnavailableException(message, { cause });
}
