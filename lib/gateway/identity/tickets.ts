import { randomBytes } from 'node:crypto';
import type { Identity } from '../../connections/connection.js';
import { identityFault } from './identity-fault.js';

/** Keeps tickets until they are taken or expire. A ticket can be taken once, by one caller, on any node. */
export interface TicketStore {
  put(ticket: string, identity: Identity<unknown>, ttlMs: number): Promise<void>;
  /** Returns the identity and deletes the ticket; `undefined` for a ticket that is unknown, used or expired. */
  take(ticket: string): Promise<Identity<unknown> | undefined>;
}

const SWEEP_SIZE = 1_000;

/** The tickets of one process. */
export class MemoryTicketStore implements TicketStore {
  readonly #tickets = new Map<string, { identity: Identity<unknown>; expiresAt: number }>();
  #sweepAt = SWEEP_SIZE;

  async put(ticket: string, identity: Identity<unknown>, ttlMs: number): Promise<void> {
    if (this.#tickets.size >= this.#sweepAt) this.#sweep();
    this.#tickets.set(ticket, { identity, expiresAt: performance.now() + ttlMs });
  }

  async take(ticket: string): Promise<Identity<unknown> | undefined> {
    const found = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    return found !== undefined && found.expiresAt > performance.now() ? found.identity : undefined;
  }

  /** Deletes expired tickets, whenever the number of tickets has doubled since the last time. */
  #sweep(): void {
    const now = performance.now();
    for (const [ticket, { expiresAt }] of this.#tickets) if (expiresAt <= now) this.#tickets.delete(ticket);
    this.#sweepAt = Math.max(SWEEP_SIZE, 2 * this.#tickets.size);
  }
}

export interface TicketOptions {
  /** How long the ticket may be used, in milliseconds, at most a day. @default 30_000 */
  readonly ttlMs?: number;
}

const DEFAULT_TTL_MS = 30_000;
const MAX_TTL_MS = 86_400_000;
const TICKET = /^[\w-]{32}$/;

/**
 * One-use tickets for clients that can set only the URL of their handshake. Issue one over HTTP to a user who is logged in
 * there, and connect with `?ticket=…`: access logs then hold no token.
 */
export class TicketService {
  constructor(private readonly store: TicketStore) {}

  /** Creates a ticket that authenticates one connection as this identity. */
  async issue(identity: Identity<unknown>, { ttlMs = DEFAULT_TTL_MS }: TicketOptions = {}): Promise<string> {
    const fault = identityFault(identity, 'the ticket');
    if (fault !== undefined) throw new TypeError(fault);
    if (!Number.isInteger(ttlMs) || ttlMs < 1 || ttlMs > MAX_TTL_MS) {
      throw new RangeError(
        `Expected the ttlMs of a ticket to be an integer of 1 to ${MAX_TTL_MS} ms, got ${ttlMs}.`,
      );
    }
    const ticket = randomBytes(24).toString('base64url');
    await this.store.put(ticket, identity, ttlMs);
    return ticket;
  }

  /** Takes a ticket; `undefined` for one that is unknown, used or expired. */
  async consume(ticket: string): Promise<Identity<unknown> | undefined> {
    // The URL is client input: a text that cannot be a ticket does not reach the store.
    return TICKET.test(ticket) ? this.store.take(ticket) : undefined;
  }
}
