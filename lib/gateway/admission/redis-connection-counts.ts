import type { LoggerService } from '@nestjs/common';
import type { RedisCommands } from '../../backplane/redis/client/redis-commands.js';
import type { LeaseHolder, NodeLease } from '../../backplane/redis/client/node-lease.js';
import type { RedisNames } from '../../backplane/redis/client/redis-names.js';
import { RedisScript } from '../../backplane/redis/client/redis-script.js';
import type { Counter } from '../../metrics/instruments.js';
import { MemoryConnectionCounts, type ConnectionCounts, type CountKind } from './connection-counts.js';

const TAKE = new RedisScript(`
-- Counts a connection of one IP or user, unless the limit is reached.
-- KEYS[1] the counted connections: a sorted set of connection id → end of its lease, in Redis' milliseconds
-- ARGV    connection id, limit, lease in milliseconds
-- Result  1 if the connection is counted, else 0
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) and not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`);

const KEEP = new RedisScript(`
-- Renews the leases of a node's connections, and counts those again that Redis has lost.
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

// Redis runs nothing else during a script, so each renews a bounded number of keys.
const BATCH_KEYS = 200;

/**
 * Counts connections over all nodes. Each count in Redis is under the lease of its node, and ends when the node dies. It is
 * a lease per connection: a script sees only the slot of its own key, not whether other nodes are alive. While Redis is
 * away, connections are admitted and the limits hold for this node alone.
 */
export class RedisConnectionCounts implements ConnectionCounts, LeaseHolder {
  readonly #own = new MemoryConnectionCounts();
  /** By name in Redis, the counted connections of this node. */
  readonly #held = new Map<string, Set<string>>();
  #isUnshared = false;

  constructor(
    private readonly commands: RedisCommands,
    private readonly names: RedisNames,
    private readonly lease: NodeLease,
    private readonly unsharedChecks: Counter,
    private readonly logger: LoggerService,
  ) {
    lease.hold(this);
  }

  acquire(kind: CountKind, key: string, connectionId: string, max: number): boolean | Promise<boolean> {
    // A limit reached by this node alone needs no work of Redis, even during a flood from one IP.
    if (!this.#own.acquire(kind, key, connectionId, max)) return false;
    return this.#acquire(kind, key, connectionId, max);
  }

  release(kind: CountKind, key: string, connectionId: string): void {
    const name = this.names.key(key, 'connections', kind, key);
    this.#own.release(kind, key);
    const held = this.#held.get(name);
    held?.delete(connectionId);
    if (held?.size === 0) this.#held.delete(name);
    // If the release is lost, the count ends with its lease.
    this.commands.call('ZREM', name, connectionId).catch((error: Error) => this.#unshared(error));
  }

  async renew(leaseMs: number): Promise<void> {
    for (const names of this.#batches()) {
      // Read only now: some connections may have closed meanwhile.
      const connections = names.map((name) => [...(this.#held.get(name) ?? [])].join(' '));
      await this.commands.run(KEEP, names, [String(leaseMs), ...connections]);
    }
  }

  renewalFailed(error: Error): void {
    this.#unshared(error);
  }

  async #acquire(kind: CountKind, key: string, connectionId: string, max: number): Promise<boolean> {
    const name = this.names.key(key, 'connections', kind, key);
    const parameters = [connectionId, String(max), String(this.lease.leaseMs)];
    try {
      if ((await this.commands.run(TAKE, [name], parameters)) === 0) {
        this.#own.release(kind, key);
        return false;
      }
      this.#shared();
    } catch (error) {
      this.unsharedChecks.add(kind);
      this.#unshared(error as Error);
    }
    const held = this.#held.get(name);
    if (held === undefined) this.#held.set(name, new Set([connectionId]));
    else held.add(connectionId);
    return true;
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

  #shared(): void {
    if (!this.#isUnshared) return;
    this.#isUnshared = false;
    this.logger.log('connection limits hold for all nodes again');
  }

  #unshared({ message }: Error): void {
    if (this.#isUnshared) return;
    this.#isUnshared = true;
    this.logger.warn(`connection limits hold for this node alone: ${message}`);
  }
}
