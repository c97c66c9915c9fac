import { expect } from 'vitest';
import type { Connection } from '../../lib/connections/connection.js';
import { IdempotencyCache, type IdempotencySettings } from '../../lib/messages/idempotency-cache.js';
import type { ClientFrame } from '../../lib/protocol/envelope.js';

export const TTL_MS = 1_000;

/** What the cache needs of a connection, and what it was sent. */
export class Client {
  readonly sent: unknown[] = [];
  isOpen = true;

  constructor(
    readonly sessionId: string,
    readonly userId?: string,
  ) {}

  sendText(text: string): void {
    this.sent.push(JSON.parse(text));
  }
}

/** A cache and the clients that are connected. */
export class Desk {
  readonly cache: IdempotencyCache;
  readonly #clients = new Set<Client>();
  #id = 0;

  constructor(settings: Partial<IdempotencySettings> | false = {}) {
    this.cache = new IdempotencyCache(
      settings && { ttlMs: TTL_MS, maxAnswers: 100, maxBytes: 1_000_000, ...settings },
      { ofSession: (id) => [...this.#clients].filter(({ sessionId }) => sessionId === id) as never },
    );
  }

  connect(sessionId: string, userId?: string): Client {
    const client = new Client(sessionId, userId);
    this.#clients.add(client);
    return client;
  }

  disconnect(client: Client): void {
    client.isOpen = false;
    this.#clients.delete(client);
    this.cache.ended(client.sessionId, client.userId);
  }

  /** Says a message; gives back the frame if it is to be run. */
  say(client: Client, key: string, id: number | undefined = ++this.#id): ClientFrame | undefined {
    const frame = { type: 'say', payload: null, id, key };
    return this.cache.recall(client as unknown as Connection, frame) ? undefined : frame;
  }

  answer(frame: ClientFrame | undefined, value = 1): void {
    expect(frame).toBeDefined();
    this.cache.settle(frame as ClientFrame, { type: '$reply', payload: JSON.stringify(value) });
  }

  /** Says and answers that many messages with keys of their own. */
  chat(client: Client, count: number): void {
    for (let i = 0; i < count; i++) this.answer(this.say(client, `chat ${++this.#id}`));
  }
}
