import type { Redis } from 'ioredis';
import { BackplaneError } from './backplane-error.js';

/** What a subscriber reports. */
export interface SubscriberEvents {
  message(message: Buffer): void;
  /** Every wanted channel is subscribed again after the connection was lost. */
  resubscribed(channels: number, durationMs: number): void;
  failed(error: Error): void;
}

interface Channel {
  /** Redis has confirmed it on the present connection. */
  isAcked: boolean;
  isQueued: boolean;
  /** When it may be given up; `undefined` while it is wanted. */
  lingersUntil: number | undefined;
  waiters: Waiter[] | undefined;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly since: number;
}

// Replies to at most this many channels wait at a time: far below the 32 MB at which Redis ends a subscriber.
const BATCH_CHANNELS = 256;
const MAX_BATCHES_IN_FLIGHT = 4;
const JOIN_TIMEOUT_MS = 5_000;
const MIN_LINGER_MS = 2_000;
const LINGER_SPREAD_MS = 8_000;
const SWEEP_MS = 1_000;
const RETRY_MS = 500;

/**
 * The subscriptions of one Redis connection. Wanting a channel resolves when Redis has confirmed it; one that is no
 * longer wanted lingers, since users who leave often come back; and after a lost connection everything wanted is
 * subscribed again in batches that never outrun their replies.
 */
export class RedisSubscriber {
  readonly #channels = new Map<string, Channel>();
  #queue: string[] = [];
  #inFlight = 0;
  #connection = 0;
  #readyAt = 0;
  #isCatchingUp = false;
  #flushScheduled = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly client: Redis,
    private readonly commands: {
      subscribe: 'subscribe' | 'ssubscribe';
      unsubscribe: 'unsubscribe' | 'sunsubscribe';
    },
    private readonly events: SubscriberEvents,
  ) {
    const event = commands.subscribe === 'subscribe' ? 'messageBuffer' : 'smessageBuffer';
    client.on(event, (_channel: Buffer, message: Buffer) => events.message(message));
    client.on('ready', () => this.#ready());
    client.on('close', () => this.#lost());
  }

  /** Channels that are wanted or linger. */
  get size(): number {
    return this.#channels.size;
  }

  /** How many of them Redis has confirmed. */
  get acked(): number {
    let acked = 0;
    for (const { isAcked } of this.#channels.values()) if (isAcked) acked++;
    return acked;
  }

  add(name: string): Promise<void> | undefined {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = { isAcked: false, isQueued: false, lingersUntil: undefined, waiters: undefined };
      this.#channels.set(name, channel);
    }
    channel.lingersUntil = undefined;
    if (channel.isAcked) return undefined;
    this.#enqueue(name, channel);
    const { waiters = [] } = channel;
    channel.waiters = waiters;
    this.#tick();
    return new Promise((resolve, reject) => waiters.push({ resolve, reject, since: performance.now() }));
  }

  remove(name: string): void {
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    channel.lingersUntil = performance.now() + MIN_LINGER_MS + Math.random() * LINGER_SPREAD_MS;
    this.#tick();
  }

  /** Forgets everything; whoever waits is told. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const channel of this.#channels.values())
      rejectAll(channel, 'unavailable', 'The backplane is closed.');
    this.#channels.clear();
  }

  #ready(): void {
    this.#connection++;
    this.#inFlight = 0;
    this.#readyAt = performance.now();
    this.#isCatchingUp = true;
    this.#queue = [];
    for (const [name, channel] of this.#channels) {
      channel.isQueued = false;
      if (channel.lingersUntil === undefined) this.#enqueue(name, channel);
      else this.#channels.delete(name);
    }
    this.#flush();
  }

  #lost(): void {
    this.#connection++;
    this.#isCatchingUp = false;
    for (const channel of this.#channels.values()) channel.isAcked = false;
  }

  #enqueue(name: string, channel: Channel): void {
    if (channel.isQueued) return;
    channel.isQueued = true;
    this.#queue.push(name);
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    // Everyone who joins in this turn of the event loop shares a command.
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (
      this.client.status === 'ready' &&
      this.#queue.length > 0 &&
      this.#inFlight < MAX_BATCHES_IN_FLIGHT
    ) {
      void this.#subscribe(this.#queue.splice(0, BATCH_CHANNELS));
    }
    if (!this.#isCatchingUp || this.#queue.length > 0 || this.#inFlight > 0) return;
    this.#isCatchingUp = false;
    this.events.resubscribed(this.#channels.size, performance.now() - this.#readyAt);
  }

  async #subscribe(names: readonly string[]): Promise<void> {
    const connection = this.#connection;
    this.#inFlight++;
    try {
      await this.client[this.commands.subscribe](...names);
      if (connection === this.#connection) for (const name of names) this.#confirm(name);
    } catch (error) {
      if (connection === this.#connection) this.#retry(names, error as Error);
    }
    if (connection !== this.#connection) return;
    this.#inFlight--;
    this.#flush();
  }

  #confirm(name: string): void {
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    channel.isQueued = false;
    channel.isAcked = true;
    for (const { resolve } of channel.waiters ?? []) resolve();
    channel.waiters = undefined;
  }

  #retry(names: readonly string[], error: Error): void {
    this.events.failed(error);
    const isRefused = /^(NOPERM|NOAUTH|WRONGPASS)/.test(error.message);
    for (const name of names) {
      const channel = this.#channels.get(name);
      if (channel === undefined) continue;
      channel.isQueued = false;
      if (isRefused) rejectAll(channel, 'refused', 'Redis does not let this node subscribe: check its ACL.');
    }
    const connection = this.#connection;
    setTimeout(
      () => {
        if (connection !== this.#connection) return;
        for (const name of names) {
          const channel = this.#channels.get(name);
          if (channel !== undefined && !channel.isAcked) this.#enqueue(name, channel);
        }
      },
      RETRY_MS + Math.random() * RETRY_MS,
    ).unref();
  }

  #tick(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#timer.unref();
  }

  /** Gives up what has lingered long enough, and tells whoever has waited too long. */
  #sweep(): void {
    const now = performance.now();
    const unwanted: string[] = [];
    let isNeeded = false;
    for (const [name, channel] of this.#channels) {
      if (channel.waiters !== undefined) {
        isNeeded = true;
        rejectLate(channel, now - JOIN_TIMEOUT_MS);
      }
      if (channel.lingersUntil === undefined) continue;
      isNeeded = true;
      if (channel.lingersUntil > now) continue;
      unwanted.push(name);
      this.#channels.delete(name);
    }
    for (let i = 0; i < unwanted.length; i += BATCH_CHANNELS)
      this.#unsubscribe(unwanted.slice(i, i + BATCH_CHANNELS));
    if (isNeeded) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #unsubscribe(names: readonly string[]): void {
    // On a connection that is away there is nothing to take back: the next one begins without them.
    if (this.client.status !== 'ready') return;
    this.client[this.commands.unsubscribe](...names).catch((error: Error) => this.events.failed(error));
  }
}

function rejectAll(channel: Channel, reason: BackplaneError['reason'], message: string): void {
  const { waiters = [] } = channel;
  channel.waiters = undefined;
  for (const { reject } of waiters) reject(new BackplaneError(reason, message));
}

function rejectLate(channel: Channel, deadline: number): void {
  const { waiters = [] } = channel;
  const late = waiters.filter(({ since }) => since <= deadline);
  if (late.length === 0) return;
  const rest = waiters.filter(({ since }) => since > deadline);
  channel.waiters = rest.length > 0 ? rest : undefined;
  for (const { reject } of late) {
    reject(
      new BackplaneError('unavailable', `Redis did not confirm a subscription within ${JOIN_TIMEOUT_MS} ms.`),
    );
  }
}
