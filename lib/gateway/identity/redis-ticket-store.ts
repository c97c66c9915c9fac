import type { RedisCommands } from '../../backplane/redis/client/redis-commands.js';
import type { RedisNames } from '../../backplane/redis/client/redis-names.js';
import type { Identity } from '../../connections/connection.js';
import type { TicketStore } from './tickets.js';

/**
 * Tickets that any node may take: Redis deletes them when they expire, and GETDEL (Redis 6.2) gives each to one caller.
 * An identity is stored as JSON. While Redis is away both methods reject with a `BackplaneError`.
 */
export class RedisTicketStore implements TicketStore {
  constructor(
    private readonly commands: RedisCommands,
    private readonly names: RedisNames,
  ) {}

  async put(ticket: string, identity: Identity<unknown>, ttlMs: number): Promise<void> {
    const name = this.#nameOf(ticket);
    const outcome = await this.commands.call(
      'SET',
      name,
      JSON.stringify(identity),
      'PX',
      String(ttlMs),
      'NX',
    );
    if (outcome === null) throw new Error('Expected a new ticket, got one that is in Redis already.');
  }

  async take(ticket: string): Promise<Identity<unknown> | undefined> {
    const identity = await this.commands.call('GETDEL', this.#nameOf(ticket));
    return identity === null ? undefined : (JSON.parse(String(identity)) as Identity<unknown>);
  }

  #nameOf(ticket: string): string {
    return this.names.key(ticket, 'ticket', ticket);
  }
}
