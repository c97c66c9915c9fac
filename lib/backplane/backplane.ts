import type { Publication } from './publication.js';

/** What is known once the backplane has taken a publication. */
export interface PublishOutcome {
  /** How many other nodes it was delivered to. */
  readonly nodes: number;
}

/** What a backplane reports to its node. No method may throw. */
export interface BackplaneListener {
  /** A publication of another node to a channel subscribed here. */
  receive(channel: string, publication: Publication): void;
  /** Whether publications reach the other nodes, as found by a probe that this node sends to itself. */
  stateChanged(state: 'up' | 'down'): void;
  /**
   * Publications to these channels may have been missed: since a connection was lost or a channel moved, or since
   * `subscribe` rejected. Called when the subscriptions hold again, so that what is recovered now has no gap after it.
   */
  interrupted(channels: readonly string[]): void;
}

/**
 * Carries publications between nodes. A publication reaches, at most once and in order per channel, every *other*
 * node whose `subscribe` to that channel resolved before. The publisher's own node is served by the Broadcaster, which
 * therefore works while the backplane is down.
 */
export interface Backplane {
  /** Connects, and reports to the listener from now on. Called once, before anything else. */
  start(listener: BackplaneListener): Promise<void>;
  /** Resolves when every later publish to the channel reaches this node; rejects with a `BackplaneError`. May repeat. */
  subscribe(channel: string): Promise<void> | undefined;
  /** How many wanted subscriptions do not hold at present, such as after a lost connection. @default 0 */
  readonly unconfirmed?: number;
  /** Ends the subscription to a channel, at once or within some seconds. */
  unsubscribe(channel: string): void;
  /** Rejects with a `BackplaneError` when the publication may not have reached the other nodes; settles in bounded time. */
  publish(channel: string, publication: Publication): Promise<PublishOutcome>;
  /** Releases everything that `start` acquired. */
  stop(): Promise<void>;
}
