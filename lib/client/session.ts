import { shouldReconnect, type CloseCode } from '../protocol/close-codes.js';
import { Backoff } from './backoff.js';
import type { ResolvedClientOptions, Address } from './client.options.js';
import type { ConnectionState } from './connection-state.js';
import { resolveUrl } from './environment.js';
import { Handover } from './handover.js';
import { Link, type Introduction, type LinkEvents, type ServerFrame, type SessionTicket } from './link.js';
import { Overlap } from './overlap.js';
import { UnauthenticatedError } from './request-error.js';
import { watchWakeSignals } from './wake-signals.js';

export interface SessionEvents {
  onState(state: ConnectionState): void;
  /** A link can be used, the first one or another in its place; the state says so already. */
  onLink(link: Link): void;
  /** The link is about to be left: nothing more should be sent on it. */
  onLeaving(link: Link): void;
  /** What was sent on this link and not answered will not be. */
  onLost(link: Link): void;
  onFrame(link: Link, frame: ServerFrame): void;
  /** Whether an answer is still to come on this link. */
  isAwaited(link: Link): boolean;
}

// Typed by the table of codes, which itself stays out of the bundle.
const UNAUTHENTICATED: typeof CloseCode.UNAUTHENTICATED = 4401;
const NO_CLOSE_FRAME = 1006;

/** Keeps one link up across restarts, lost networks and sleep, and says truly how things stand. */
export class Session implements LinkEvents {
  state: ConnectionState = { status: 'idle' };
  /** The link that messages go through. */
  link: Link | undefined;
  #next: Link | undefined;
  #handover: Handover | undefined;
  #overlap: Overlap<Link> | undefined;
  #ticket: SessionTicket | undefined;
  #usableAt = 0;
  #refusals = 0;
  /** Ends the wait before an attempt, or the attempt; there is never both. */
  #timer: unknown;
  #retryAt: number | undefined;
  #notBefore = 0;
  #end = { code: 0, reason: '' };
  #stopSignals: (() => void) | undefined;
  readonly #backoff: Backoff;
  readonly #address: Address;
  readonly #options: ResolvedClientOptions;
  readonly #events: SessionEvents;

  constructor(address: Address, options: ResolvedClientOptions, events: SessionEvents) {
    this.#address = address;
    this.#options = options;
    this.#events = events;
    this.#backoff = new Backoff(options);
  }

  /** Begins, once. */
  start(): void {
    if (this.state.status !== 'idle') return;
    this.#stopSignals = watchWakeSignals(
      () => this.wake(),
      () => this.link?.wake(),
    );
    this.#backoff.attempt = 1;
    this.#attempt();
  }

  /** Looks whether the link still lives, and does not wait out a retry that is due later. */
  wake(): void {
    this.link?.wake();
    if (this.#retryAt === undefined) return;
    const at = Math.max(this.#options.clock.now() + this.#backoff.soon(), this.#notBefore);
    if (at < this.#retryAt) this.#schedule(at - this.#options.clock.now());
  }

  /** Ends it for good. */
  close(code: number, reason: string): void {
    if (this.state.status === 'closed') return;
    this.#disarm();
    this.#stopSignals?.();
    this.#handover?.stop();
    for (const link of [this.#handover?.old, this.#next, this.link]) link?.leave(1000, 'closed');
    this.link = this.#next = this.#handover = undefined;
    this.#setState({ status: 'closed', code, reason });
  }

  /** The server is about to go: the next link is opened when it advises, while this one still works. */
  goAway(link: Link, reconnectAfterMs: number): void {
    if (link !== this.link || this.#timer !== undefined) return;
    this.#backoff.attempt = 1;
    this.#notBefore = this.#options.clock.now() + reconnectAfterMs;
    this.#schedule(reconnectAfterMs);
  }

  onUsable(link: Link): void {
    const { connectionId, sessionId, userId, recovered } = link.hello!;
    const old = this.link;
    this.#disarm();
    this.#next = undefined;
    this.#refusals = this.#notBefore = 0;
    this.#usableAt = this.#options.clock.now();
    this.#ticket = { sessionId, positions: {} };
    this.link = link;
    if (old !== undefined) {
      this.#handover?.leave();
      this.#handover = new Handover(old, this.#options.clock, this.#events.isAwaited, (left) =>
        this.#left(left),
      );
    }
    this.#setState({ status: 'connected', connectionId, sessionId, userId, recovered });
    if (this.link === link) this.#events.onLink(link);
  }

  onFrame(link: Link, frame: ServerFrame, text: string): void {
    if (this.#overlap?.isOver(this.#options.clock.now())) this.#overlap = undefined;
    const isMessage = !frame.type.startsWith('$');
    if (!isMessage || !this.#overlap?.isRepeated(link, text)) this.#events.onFrame(link, frame);
    if (link === this.#handover?.old) this.#handover.check();
  }

  onEnd(link: Link, code: number, reason: string): void {
    if (link === this.#handover?.old) {
      this.#handover.stop();
      this.#left(link);
      return;
    }
    this.#end = { code, reason };
    if (link === this.#next) {
      this.#next = undefined;
      this.#retry(this.#backoff.afterFailure());
      return;
    }
    this.link = undefined;
    this.#overlap?.end(this.#options.clock.now());
    this.#events.onLost(link);
    // After `$goaway` the next attempt is under way already, unless the server wants no other.
    if (this.#timer !== undefined && shouldReconnect(code)) this.#setAway();
    else this.#retry(this.#backoff.afterLoss(this.#options.clock.now() - this.#usableAt));
  }

  #left(link: Link): void {
    this.#handover = undefined;
    this.#overlap?.end(this.#options.clock.now());
    this.#events.onLost(link);
  }

  #attempt(): void {
    this.#arm(this.#options.connectTimeoutMs, () => this.#fail('no $hello in time'));
    // What this attempt has begun is void once its timer is no longer the one that runs.
    const timer = this.#timer;
    // From its time on, the server that goes away refuses messages.
    if (this.link !== undefined) this.#events.onLeaving(this.link);
    this.#setAway();
    this.#prepare().then(
      ([url, introduction]) => timer === this.#timer && this.#dial(url, introduction),
      (error: unknown) => {
        if (timer !== this.#timer) return;
        if (error instanceof UnauthenticatedError) this.close(UNAUTHENTICATED, error.message);
        else this.#fail(String(error));
      },
    );
  }

  async #prepare(): Promise<[string, Introduction]> {
    const address = this.#address;
    const url = await (typeof address === 'function' ? address() : address);
    const token = await this.#options.token?.({ reason: this.#refusals > 0 ? 'refused' : 'connect' });
    return [url, { token: token ?? undefined, ticket: this.#ticket }];
  }

  #dial(url: string, introduction: Introduction): void {
    try {
      this.#next = new Link(resolveUrl(url), introduction, this.#options, this);
      if (this.link !== undefined) this.#overlap = new Overlap(this.link);
    } catch (error) {
      // An address that is no address, or one that this page may not use: it will not become better.
      this.close(NO_CLOSE_FRAME, String(error));
    }
  }

  #fail(reason: string): void {
    const link = this.#next;
    if (link?.settle()) return;
    this.#next = undefined;
    link?.leave(1000, reason);
    this.#end = { code: NO_CLOSE_FRAME, reason };
    this.#retry(this.#backoff.afterFailure());
  }

  /** Decides what follows the end of an attempt or of a connection. */
  #retry(delayMs: number): void {
    const { code, reason } = this.#end;
    const isRefused = code === UNAUTHENTICATED;
    this.#disarm();
    if (!shouldReconnect(code) || (isRefused && ++this.#refusals > 1)) return this.close(code, reason);
    const advice = this.#backoff.afterAdvice(reason);
    const waitMs = advice ?? (isRefused ? this.#backoff.soon() : delayMs);
    this.#backoff.attempt++;
    this.#notBefore = advice === undefined ? 0 : this.#options.clock.now() + waitMs;
    this.#schedule(waitMs);
  }

  #schedule(delayMs: number): void {
    this.#arm(delayMs, () => this.#attempt());
    this.#retryAt = this.#options.clock.now() + delayMs;
    this.#setAway();
  }

  #arm(delayMs: number, act: () => void): void {
    this.#disarm();
    this.#timer = this.#options.clock.setTimeout(act, delayMs);
  }

  #disarm(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = this.#retryAt = undefined;
  }

  #setAway(): void {
    if (this.link !== undefined) return;
    const now = this.#options.clock.now();
    const retryAt = this.#retryAt ?? now;
    this.#setState({
      status: this.#ticket === undefined ? 'connecting' : 'reconnecting',
      ...this.#end,
      attempt: this.#backoff.attempt,
      retryInMs: retryAt - now,
      retryAt,
    });
  }

  #setState(state: ConnectionState): void {
    this.state = state;
    this.#events.onState(state);
  }
}
