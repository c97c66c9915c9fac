import type { Publication } from './publication.js';

/** What is known once a publication was handed over. */
export interface PublishOutcome {
  /** Other nodes that got it. */
  readonly nodes: number;
}

export type Receive = (publication: Publication) => void;

/**
 * Carries publications between nodes. A publication reaches, at most once and in order per channel, every *other*
 * node whose `subscribe` to that channel has resolved before it was published; the publisher's own node is served by
 * the Broadcaster, which therefore works while the backplane does not.
 */
export interface Backplane {
  /** Begins to hand publications of other nodes to `receive`. Called once, before anything else. */
  start(receive: Receive): Promise<void>;
  /** Resolves when every later publish to the channel reaches this node. May repeat. */
  subscribe(channel: string): Promise<void> | undefined;
  /** Gives up interest in a channel. */
  unsubscribe(channel: string): void;
  /** Rejects when the publication may not have reached the others. */
  publish(channel: string, publication: Publication): Promise<PublishOutcome>;
  /** Gives back everything `start` took. */
  stop(): Promise<void>;
}
