import type { AbortSignalLike } from './environment.js';

/** How many messages may wait for a connection, and how long each. */
export interface QueueLimits {
  /** Messages that wait at once; one more is `overflow`. */
  readonly max: number;
  /** How long one waits before it is `expired`. */
  readonly ttlMs: number;
}

/** `drop`: sent now or never. `queue`: sent in order once there is a connection. */
export type WhileAway = 'drop' | { readonly queue: QueueLimits };

export interface SendOptions {
  /** @default the client's `whileAway` */
  readonly whileAway?: WhileAway;
}

/** Why a message was never written to a socket. */
export type UnsentReason = 'dropped' | 'expired' | 'overflow' | 'closed' | 'too_large';

/** `sent` says that it was written to a live socket, not that it arrived; a request says that. */
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
 * What becomes of a request whose connection is lost before its answer came. `resumed`: sent again with its id, which
 * the server does not run twice, if the session is resumed; else it fails with `DISCONNECTED`, since nobody can know
 * whether it was done. `always`: sent again in any case. `never`: it fails.
 */
export type Retry = 'resumed' | 'always' | 'never';

export interface RequestOptions extends WaitOptions {
  /** Time away included. @default the client's `requestTimeoutMs` */
  readonly timeoutMs?: number | false;
  /** @default 'resumed' */
  readonly retry?: Retry;
}
/** A payload and options as arguments; a message that carries nothing needs neither. */
export type PayloadArguments<Payload, Options> = [Payload] extends [null]
  ? [payload?: null, options?: Options]
  : [payload: Payload, options?: Options];
