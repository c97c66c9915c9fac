import type { LoggerService } from '@nestjs/common';
import type { RedisCommands } from '../../backplane/redis/client/redis-commands.js';
import type { RedisNames } from '../../backplane/redis/client/redis-names.js';
import { RedisScript } from '../../backplane/redis/client/redis-script.js';
import type { Counter } from '../../metrics/instruments.js';
import { MemoryConnectionCounts, type ConnectionCounts, type CountKind } from './connection-counts.js';

export interface LeaseSettings {
  /** A place whose node has not been heard of for so long is free again. */
  readonly leaseMs: number;
  /** How often a node says that its connections are still there; well within a lease. */
  readonly refreshMs: number;
}

export const LEASE: LeaseSettings = { leaseMs: 30_000, refreshMs: 10_000 };

const TAKE = new RedisScript(`
-- Takes a place among the connections of one IP or user, unless all are taken.
-- KEYS[1] the connections that hold one: a sorted set of connection id → end of its lease, in Redis' milliseconds
-- ARGV    connection id, how many counts there are, lease in milliseconds
-- Result  1 if the connection holds a place now, else 0
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) and not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`);

const KEEP = new RedisScript(`
-- Renews the leases of a node's connections; what Redis has forgotten, or was never told, it learns.
-- KEYS    as KEYS[1] above, all in one slot
-- ARGV    lease in milliseconds, then for each key the connection ids with spaces between
-- Result  how many keys were renewed
local time = redis.call('TIME')
local ends = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
for i, key in ipairs(KEYS) do
  for connection in string.gmatch(ARGV[i + 1], '%S+') do redis.call('ZADD', key, ends, connection) end
  redis.call('PEXPIRE', key, ARGV[1])
end
return #KEYS
`);

// One script renews so many keys at most: Redis serves nobody else meanwhile.
const BATCH_KEYS = 200;

/**
 * Places shared by all nodes. Redis counts them as leases that this node renews, so those of a node that dies are free
 * again by themselves. While Redis is away this node counts its own: nobody is locked out, and a limit holds per node.
 */
export class RedisConnectionCounts implements ConnectionCounts {
  readonly #own = new MemoryConnectionCounts();
  /** By name in Redis, the connections here that hold a place. */
  readonly #held = new Map<string, Set<string>>();
  #timer: NodeJS.Timeout | undefined;
  #isAlone = false;
  #isRenewing = false;

  constructor(
    private readonly commands: RedisCommands,
    private readonly names: RedisNames,
    private readonly lease: LeaseSettings,
    private readonly unshared: Counter,
    private readonly logger: LoggerService,
  ) {}

  start(): void {
    this.#timer = setInterval(() => this.renew(), this.lease.refreshMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  acquire(kind: CountKind, key: string, connectionId: string, max: number): boolean | Promise<boolean> {
    // What is full here is full everywhere; a flood from one IP is no work for Redis.
    if (!this.#own.acquire(kind, key, connectionId, max)) return false;
    return this.#acquire(kind, key, connectionId, max);
  }

  release(kind: CountKind, key: string, connectionId: string): void {
    const name = this.names.key(key, 'connections', kind, key);
    this.#own.release(kind, key);
    const held = this.#held.get(name);
    held?.delete(connectionId);
    if (held?.size === 0) this.#held.delete(name);
    // One that Redis does not hear of ends with its lease.
    this.commands.call('ZREM', name, connectionId).catch((error: Error) => this.#alone(error));
  }

  /** Says that this node's connections are still there; also when Redis is back, perhaps with nothing in it. */
  renew(): void {
    if (this.#isRenewing || this.#timer === undefined) return;
    this.#isRenewing = true;
    this.#renew()
      .catch((error: Error) => this.#alone(error))
      .finally(() => (this.#isRenewing = false));
  }

  async #acquire(kind: CountKind, key: string, connectionId: string, max: number): Promise<boolean> {
    const name = this.names.key(key, 'connections', kind, key);
    const parameters = [connectionId, String(max), String(this.lease.leaseMs)];
    try {
      if ((await this.commands.run(TAKE, [name], parameters)) === 0) {
        this.#own.release(kind, key);
        return false;
      }
      this.#together();
    } catch (error) {
      this.unshared.add(kind);
      this.#alone(error as Error);
    }
    const held = this.#held.get(name);
    if (held === undefined) this.#held.set(name, new Set([connectionId]));
    else held.add(connectionId);
    return true;
  }

  async #renew(): Promise<void> {
    for (const names of this.#batches()) {
      // Looked up only now: meanwhile some may have gone.
      const connections = names.map((name) => [...(this.#held.get(name) ?? [])].join(' '));
      await this.commands.run(KEEP, names, [String(this.lease.leaseMs), ...connections]);
    }
  }

  /** Names that lie in one slot of a cluster, as many as one script may renew. */
  *#batches(): Iterable<string[]> {
    const bySlot = new Map<string, string[]>();
    for (const name of this.#held.keys()) {
      const tag = name.slice(0, name.indexOf('}'));
      const batch = bySlot.get(tag);
      if (batch === undefined) bySlot.set(tag, [name]);
      else if (batch.push(name) >= BATCH_KEYS) {
        bySlot.delete(tag);
        yield batch;
      }
    }
    yield* bySlot.values();
  }

  #together(): void {
    if (!this.#isAlone) return;
    this.#isAlone = false;
    this.logger.log('connection limits hold for all nodes again');
  }

  #alone({ message }: Error): void {
    if (this.#isAlone) return;
    this.#isAlone = true;
    this.logger.warn(`connection limits hold for this node alone: ${message}`);
  }
}
