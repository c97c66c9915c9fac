import type { Publication } from './publication.js';

/** What is known once a publication was handed over. */
export interface PublishOutcome {
  /** Other nodes that got it. */
  readonly nodes: number;
}

/** What a backplane tells its node. */
export interface BackplaneListener {
  /** A publication of another node to a channel subscribed here. */
  receive(channel: string, publication: Publication): void;
  /** Whether the other nodes can be reached, as a probe that goes all the way round has found. */
  stateChanged(state: 'up' | 'down'): void;
  /** Publications to these channels may have been missed since the last one received; the subscriptions hold again. */
  interrupted(channels: readonly string[]): void;
}

/**
 * Carries publications between nodes. A publication reaches, at most once and in order per channel, every *other*
 * node whose `subscribe` to that channel has resolved before it was published; the publisher's own node is served by
 * the Broadcaster, which therefore works while the backplane does not.
 */
export interface Backplane {
  /** Begins to tell the listener. Called once, before anything else. */
  start(listener: BackplaneListener): Promise<void>;
  /** Resolves when every later publish to the channel reaches this node; rejects with a `BackplaneError`. May repeat. */
  subscribe(channel: string): Promise<void> | undefined;
  /** Subscriptions that do not hold at present, those that did before a connection was lost among them. @default 0 */
  readonly unconfirmed?: number;
  /** Gives up interest in a channel. */
  unsubscribe(channel: string): void;
  /** Rejects with a `BackplaneError` when the publication may not have reached the others; never waits for ever. */
  publish(channel: string, publication: Publication): Promise<PublishOutcome>;
  /** Gives back everything `start` took. */
  stop(): Promise<void>;
}
