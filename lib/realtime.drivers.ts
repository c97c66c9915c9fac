import type { LoggerService } from '@nestjs/common';
import type { Backplane } from './backplane/backplane.js';
import { BackplaneError } from './backplane/backplane-error.js';
import { MemoryBackplane } from './backplane/memory-backplane.js';
import { RedisBackplane } from './backplane/redis-backplane.js';
import { RedisCommands } from './backplane/redis-commands.js';
import { RedisNames } from './backplane/redis-names.js';
import { MemoryPlaces, type ConnectionPlaces } from './gateway/connection-places.js';
import { LEASE, RedisPlaces } from './gateway/redis-connection-places.js';
import { RedisTicketStore } from './gateway/redis-ticket-store.js';
import { MemoryTicketStore, type TicketStore } from './gateway/tickets.js';
import type { RealtimeMetrics } from './metrics/realtime-metrics.js';
import type { ResolvedOptions } from './realtime.options.js';

/** Chooses how nodes speak to each other. */
export function backplaneOf(
  options: Pick<ResolvedOptions, 'backplane' | 'redis' | 'redisPrefix'>,
  nodeId: string,
  metrics: RealtimeMetrics,
  logger: LoggerService,
): Backplane {
  const { backplane, redis, redisPrefix: prefix } = options;
  if (backplane !== undefined) return backplane;
  if (redis === undefined) return new MemoryBackplane();
  return new RedisBackplane({ redis, prefix, nodeId }, metrics.backplane, logger);
}

/**
 * Waits for a node's own channels. Redis may be away while the app boots: they are subscribed when it is back, and until
 * then health says down. What Redis refuses is a fault of the configuration, and the app does not start.
 */
export async function listen(subscribed: Promise<void> | undefined, logger: LoggerService): Promise<void> {
  try {
    await subscribed;
  } catch (error) {
    if (!(error instanceof BackplaneError) || error.reason === 'refused') throw error;
    logger.warn(`not connected to the other nodes yet: ${error.message}`);
  }
}

/** What the nodes of an app keep together: in Redis when that is configured, else in this process. */
export interface SharedDrivers {
  readonly tickets: TicketStore;
  readonly places: ConnectionPlaces;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function sharedDriversOf(
  options: ResolvedOptions,
  metrics: RealtimeMetrics,
  logger: LoggerService,
): SharedDrivers {
  const { redis, redisPrefix, ticketStore } = options;
  if (redis === undefined) {
    const tickets = ticketStore ?? new MemoryTicketStore();
    return { tickets, places: new MemoryPlaces(), start: async () => {}, stop: async () => {} };
  }
  const commands = new RedisCommands(redis, {
    failed: ({ message }) => {
      metrics.backplane.failures.add();
      logger.warn(`redis: ${message}`);
    },
    ready: () => places.renew(),
  });
  const names = new RedisNames(redisPrefix);
  const places = new RedisPlaces(commands, names, LEASE, metrics.limitsUnshared, logger);
  return {
    tickets: ticketStore ?? new RedisTicketStore(commands, names),
    places,
    start: async () => {
      await commands.start();
      places.start();
    },
    stop: async () => {
      places.stop();
      await commands.stop();
    },
  };
}
