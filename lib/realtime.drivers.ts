import type { LoggerService } from '@nestjs/common';
import type { Backplane } from './backplane/backplane.js';
import { MemoryBackplane } from './backplane/memory-backplane.js';
import { RedisBackplane } from './backplane/redis/redis-backplane.js';
import { RedisCommands } from './backplane/redis/client/redis-commands.js';
import { RedisLog } from './backplane/redis/redis-log.js';
import { NodeLease } from './backplane/redis/client/node-lease.js';
import { RedisNames } from './backplane/redis/client/redis-names.js';
import { describeRedis } from './backplane/redis/redis-option.js';
import { MemoryConnectionCounts, type ConnectionCounts } from './gateway/admission/connection-counts.js';
import { RedisConnectionCounts } from './gateway/admission/redis-connection-counts.js';
import { RedisTicketStore } from './gateway/identity/redis-ticket-store.js';
import { MemoryTicketStore, type TicketStore } from './gateway/identity/tickets.js';
import type { RealtimeMetrics } from './metrics/realtime-metrics.js';
import type { ResolvedOptions } from './realtime.options.js';

/** Chooses the backplane. */
export function createBackplane(
  options: Pick<ResolvedOptions, 'backplane' | 'redis' | 'redisPrefix'>,
  nodeId: string,
  metrics: RealtimeMetrics,
  log: RedisLog,
): Backplane {
  const { backplane, redis, redisPrefix: prefix } = options;
  if (backplane !== undefined) return backplane;
  if (redis === undefined) return new MemoryBackplane();
  return new RedisBackplane({ redis, prefix, nodeId }, metrics.backplane, log);
}

/** The backplane, for the log: a misspelt environment variable shows here. */
export function describeBackplane({
  backplane,
  redis,
}: Pick<ResolvedOptions, 'backplane' | 'redis'>): string {
  if (backplane !== undefined) return `${backplane.constructor?.name || 'custom'} (the option backplane)`;
  return redis === undefined ? 'memory, this process only' : describeRedis(redis);
}

/** State that the nodes of an app share: in Redis if that is configured, else in this process. */
export interface SharedDrivers {
  readonly tickets: TicketStore;
  readonly counts: ConnectionCounts;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createSharedDrivers(
  options: ResolvedOptions,
  metrics: RealtimeMetrics,
  log: RedisLog,
  logger: LoggerService,
): SharedDrivers {
  const { redis, redisPrefix, ticketStore } = options;
  if (redis === undefined) {
    const tickets = ticketStore ?? new MemoryTicketStore();
    return { tickets, counts: new MemoryConnectionCounts(), start: async () => {}, stop: async () => {} };
  }
  const lease = new NodeLease();
  const commands = new RedisCommands(redis, {
    failed: (error) => {
      metrics.backplane.failures.add();
      log.failed(error);
    },
    ready: () => lease.renew(),
  });
  const names = new RedisNames(redisPrefix);
  const counts = new RedisConnectionCounts(commands, names, lease, metrics.limitsUnshared, logger);
  // An app may be closed while it starts.
  let isStopped = false;
  return {
    tickets: ticketStore ?? new RedisTicketStore(commands, names),
    counts,
    start: async () => {
      await commands.start();
      if (!isStopped) lease.start();
    },
    stop: async () => {
      isStopped = true;
      lease.stop();
      await commands.stop();
    },
  };
}
