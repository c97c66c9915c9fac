import { BackplaneError, type BackplaneFailure } from '../../backplane-error.js';
import { SubscribeQueue } from './subscribe-queue.js';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly since: number;
}

interface ChannelState {
  /** How far the subscription is on the present connection. */
  progress: 'queued' | 'sent' | 'confirmed';
  /** Publications may have been missed: it was confirmed before, or a caller was told that it is not. */
  mayHaveMissed: boolean;
  /** When a channel that is no longer wanted is unsubscribed. */
  lingersUntil: number | undefined;
  waiters: Waiter[] | undefined;
}

const MIN_LINGER_MS = 2_000;
const LINGER_SPREAD_MS = 8_000;
const JOIN_TIMEOUT_MS = 5_000;

/** The wanted and lingering channels of one partition, with the callers that wait; it can move to another connection. */
export class ChannelStates {
  readonly #states = new Map<string, ChannelState>();
  /** Channels that linger or that a caller waits for. */
  readonly #timed = new Set<string>();
  readonly #queue = new SubscribeQueue();
  #confirmed = 0;

  get size(): number {
    return this.#states.size;
  }

  get confirmed(): number {
    return this.#confirmed;
  }

  get hasQueued(): boolean {
    return !this.#queue.isEmpty;
  }

  /** Whether `expire` has something to look at. */
  get isTimed(): boolean {
    return this.#timed.size > 0;
  }

  /** Whether the channel is wanted or lingers. */
  has(name: string): boolean {
    return this.#states.has(name);
  }

  isConfirmed(name: string): boolean {
    return this.#states.get(name)?.progress === 'confirmed';
  }

  /** Resolves when Redis has confirmed the channel; `undefined` when it has already. */
  want(name: string): Promise<void> | undefined {
    let state = this.#states.get(name);
    if (state === undefined) this.#states.set(name, (state = newState()));
    state.lingersUntil = undefined;
    if (state.progress === 'confirmed') {
      this.#timed.delete(name);
      return undefined;
    }
    // A channel that is queued twice is skipped the second time.
    if (state.progress === 'queued' && state.waiters === undefined) this.#queue.pushUrgent(name);
    this.#timed.add(name);
    const waiters = (state.waiters ??= []);
    return new Promise((resolve, reject) => waiters.push({ resolve, reject, since: performance.now() }));
  }

  /** No longer wanted. It stays subscribed for some seconds, because users who leave often come back. */
  leave(name: string): void {
    const state = this.#states.get(name);
    if (state === undefined) return;
    state.lingersUntil = performance.now() + MIN_LINGER_MS + Math.random() * LINGER_SPREAD_MS;
    this.#timed.add(name);
  }

  /** The next channels to subscribe. */
  take(max: number): readonly string[] {
    const names: string[] = [];
    while (names.length < max) {
      const name = this.#queue.shift();
      if (name === undefined) break;
      const state = this.#states.get(name);
      if (state?.progress !== 'queued') continue;
      state.progress = 'sent';
      names.push(name);
    }
    return names;
  }

  /** Redis has confirmed these channels; returns those of them whose publications may have been missed. */
  confirm(names: readonly string[]): readonly string[] {
    const interrupted: string[] = [];
    for (const name of names) {
      const state = this.#states.get(name);
      if (state?.progress !== 'sent') continue;
      state.progress = 'confirmed';
      this.#confirmed++;
      if (state.mayHaveMissed && state.lingersUntil === undefined) interrupted.push(name);
      state.mayHaveMissed = false;
      for (const { resolve } of this.#takeWaiters(name, state)) resolve();
    }
    return interrupted;
  }

  /** Channels that Redis did not confirm are to be subscribed once more. */
  requeue(names: readonly string[]): void {
    for (const name of names) {
      const state = this.#states.get(name);
      if (state?.progress !== 'sent') continue;
      state.progress = 'queued';
      this.#queue.push(name);
    }
  }

  /** Rejects the callers that wait; the channels stay wanted. */
  reject(names: Iterable<string>, reason: BackplaneFailure, message: string): void {
    for (const name of names) {
      const state = this.#states.get(name);
      if (state?.waiters === undefined) continue;
      state.mayHaveMissed = true;
      for (const { reject } of this.#takeWaiters(name, state)) reject(new BackplaneError(reason, message));
    }
  }

  /** The connection is gone, and with it every subscription. */
  lost(): void {
    for (const state of this.#states.values()) {
      if (state.progress === 'confirmed') state.mayHaveMissed = true;
      state.progress = 'queued';
    }
    this.#confirmed = 0;
  }

  /** Without a connection nothing is queued: the next one queues what is wanted then. */
  dropQueue(): void {
    this.#queue.clear();
  }

  /** Queues everything that is wanted for a new connection; channels that only linger are given up. */
  restart(): void {
    this.lost();
    this.#queue.clear();
    for (const name of this.#timed) {
      if (this.#states.get(name)?.waiters === undefined) this.#delete(name);
      else this.#queue.pushUrgent(name);
    }
    for (const name of this.#states.keys()) this.#queue.push(name);
  }

  /** Gives up at most `max` channels that lingered long enough, and returns them; rejects callers that waited too long. */
  expire(now: number, max: number): readonly string[] {
    const names: string[] = [];
    for (const name of this.#timed) {
      const state = this.#states.get(name) as ChannelState;
      this.#rejectLate(name, state, now - JOIN_TIMEOUT_MS);
      if (names.length >= max || !canBeGivenUp(state, now)) continue;
      if (state.progress === 'confirmed') names.push(name);
      this.#delete(name);
    }
    return names;
  }

  close(): void {
    this.reject([...this.#timed], 'unavailable', 'The backplane is closed.');
    this.#states.clear();
    this.#timed.clear();
    this.dropQueue();
    this.#confirmed = 0;
  }

  #delete(name: string): void {
    if (this.isConfirmed(name)) this.#confirmed--;
    this.#states.delete(name);
    this.#timed.delete(name);
  }

  #takeWaiters(name: string, state: ChannelState): readonly Waiter[] {
    const waiters = state.waiters ?? [];
    state.waiters = undefined;
    if (state.lingersUntil === undefined) this.#timed.delete(name);
    return waiters;
  }

  #rejectLate(name: string, state: ChannelState, deadline: number): void {
    // They came in order of time.
    const { waiters = [] } = state;
    const onTime = waiters.findIndex(({ since }) => since > deadline);
    const late = onTime < 0 ? waiters : waiters.slice(0, onTime);
    if (late.length === 0) return;
    state.mayHaveMissed = true;
    if (onTime < 0) this.#takeWaiters(name, state);
    else state.waiters = waiters.slice(onTime);
    const message = `Redis did not confirm a subscription within ${JOIN_TIMEOUT_MS} ms.`;
    for (const { reject } of late) reject(new BackplaneError('unavailable', message));
  }
}

function newState(): ChannelState {
  return { progress: 'queued', mayHaveMissed: false, lingersUntil: undefined, waiters: undefined };
}

/** A channel under way stays: its reply could be taken for the reply to a later attempt. */
function canBeGivenUp({ progress, lingersUntil, waiters }: ChannelState, now: number): boolean {
  return lingersUntil !== undefined && lingersUntil <= now && progress !== 'sent' && waiters === undefined;
}
