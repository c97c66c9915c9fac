import type { AbortSignalLike } from './environment.js';

/** How many messages may wait for a connection, and how long each. */
export interface QueueLimits {
  /** Messages that may wait; one more is `overflow`. */
  readonly max: number;
  /** How long one waits before it is `expired`. */
  readonly ttlMs: number;
}

/** `drop`: sent now or not at all. `queue`: sent in order once there is a connection. */
export type WhileAway = 'drop' | { readonly queue: QueueLimits };

export interface SendOptions {
  /** @default the client's `whileAway` */
  readonly whileAway?: WhileAway;
}

/** Why a message was never written to a socket. */
export type UnsentReason = 'dropped' | 'expired' | 'overflow' | 'closed' | 'too_large';

/** `sent`: written to an open socket, which does not mean that it arrived; use a request for that. */
export type SendOutcome = 'sent' | UnsentReason;

/** A message that was given up. */
export interface Unsent {
  readonly type: string;
  readonly payload: unknown;
  readonly reason: UnsentReason;
}

export interface WaitOptions {
  /** Ends the wait; the promise rejects with the signal's reason. @default none */
  readonly signal?: AbortSignalLike | undefined;
}

/**
 * What happens to a request whose connection is lost before its reply. `resumed`: it is sent again under its `key` if the session
 * is resumed, where the server handles it once; else it fails with `DISCONNECTED`. `always`: sent again in any case. `never`: it fails.
 */
export type Retry = 'resumed' | 'always' | 'never';

export interface RequestOptions extends WaitOptions {
  /** Time without a connection included. @default the client's `requestTimeoutMs` */
  readonly timeoutMs?: number | false;
  /** @default 'resumed' */
  readonly retry?: Retry;
}
/** A payload and options as arguments; a message that carries nothing needs neither. */
export type PayloadArguments<Payload, Options> = [Payload] extends [null]
  ? [payload?: null, options?: Options]
  : [payload: Payload, options?: Options];
