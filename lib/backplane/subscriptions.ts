import type { Backplane } from './backplane.js';

/** A kind of recipient that has a channel of its own. */
export type ChannelKind = 'user' | 'room' | 'node';

/** The channel that every node hears. */
export const ALL_CHANNEL = 'all';

/** The one place that builds a channel's name. */
export function channelOf(kind: ChannelKind, key: string): string {
  return `${kind}:${key}`;
}

/** Keeps this node subscribed to the users and rooms it serves, to its own channel, and to the one for all. */
export class Subscriptions {
  constructor(
    private readonly backplane: Backplane,
    private readonly nodeId: string,
  ) {}

  async start(): Promise<void> {
    await Promise.all([
      this.backplane.subscribe(ALL_CHANNEL),
      this.backplane.subscribe(channelOf('node', this.nodeId)),
    ]);
  }

  gained(kind: 'user' | 'room', key: string): Promise<void> | undefined {
    return this.backplane.subscribe(channelOf(kind, key));
  }

  lost(kind: 'user' | 'room', key: string): void {
    this.backplane.unsubscribe(channelOf(kind, key));
  }
}
