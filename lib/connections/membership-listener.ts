import type { Connection } from './connection.js';

/** Is called when a connection enters or leaves the registry or a room. Its methods are synchronous and must not throw. */
export interface MembershipListener {
  opened?(connection: Connection): void;
  /** The connection has ended: `connection.rooms` still has its rooms, and `left` is not called for them. */
  closed?(connection: Connection): void;
  /** Called once per room that a connection enters, before other nodes' messages to the room reach this node. */
  joined?(connection: Connection, room: string): void;
  /** Called when a connection leaves a room, and when the backplane refuses its join. */
  left?(connection: Connection, room: string): void;
}

/** The backplane channels that this node receives. */
export interface ChannelSubscriptions {
  /**
   * Subscribes to a channel. Resolves when every later publish to it reaches this node, or when the backplane is away and
   * the subscription stays pending; rejects when the backplane refuses it. `undefined` when there is nothing to wait for.
   */
  ready(channel: string): Promise<void> | undefined;
  /** Unsubscribes from a channel that has no member here any more. */
  release(channel: string): void;
  /** Whether other nodes' messages to the channel do not reach this node yet. */
  isPending(channel: string): boolean;
}
