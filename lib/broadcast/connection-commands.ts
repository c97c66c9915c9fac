import type { Recipient } from '../backplane/publication.js';
import { fitCloseReason } from '../connections/close-frame.js';
import type { ClusterPublisher } from './cluster-publisher.js';
import type { LocalDelivery } from './local-delivery.js';
import type { PublicationOf } from './publication-handlers.js';
import { DeliveryCounts, type Receipt } from './receipt.js';

const CONFIRM_TIMEOUT_MS = 2_000;

/** Disconnects connections, and moves them into and out of rooms, on this node and on the others, which confirm it. */
export class ConnectionCommands {
  constructor(
    private readonly delivery: LocalDelivery,
    private readonly cluster: ClusterPublisher,
  ) {}

  disconnect(to: Recipient, code: number, reason: string): Promise<Receipt> {
    const counts = this.#close(to, code, reason);
    return this.#publish({ kind: 'disconnect', to, code, reason: fitCloseReason(reason) }, counts);
  }

  async join(to: Recipient, room: string): Promise<Receipt> {
    const connections = this.delivery.connections(to);
    const counts = new DeliveryCounts();
    for (const join of await Promise.allSettled(connections.map((connection) => connection.join(room)))) {
      if (join.status === 'fulfilled') counts.count('sent');
      else {
        counts.count('dropped');
        counts.failed(join.reason);
      }
    }
    // This node has the members, but what other nodes send to the room does not reach it yet.
    if (counts.delivered > 0 && this.delivery.isPending(room)) counts.pendingHere();
    return this.#publish({ kind: 'join', to, room }, counts);
  }

  leave(to: Recipient, room: string): Promise<Receipt> {
    return this.#publish({ kind: 'leave', to, room }, this.#leave(to, room));
  }

  receiveDisconnect({ to, code, reason, replyTo }: PublicationOf<'disconnect'>): void {
    this.cluster.reply(replyTo, this.#close(to, code, reason));
  }

  async receiveJoin({ to, room, replyTo }: PublicationOf<'join'>): Promise<void> {
    const connections = this.delivery.connections(to);
    await Promise.all(connections.map((connection) => connection.join(room)));
    // Without a reply this node counts as missing: later messages from other nodes do not reach these members yet.
    if (connections.length > 0 && this.delivery.isPending(room)) return;
    this.cluster.reply(replyTo, { delivered: connections.length, dropped: 0 });
  }

  receiveLeave({ to, room, replyTo }: PublicationOf<'leave'>): void {
    this.cluster.reply(replyTo, this.#leave(to, room));
  }

  #close(to: Recipient, code: number, reason: string): DeliveryCounts {
    const counts = new DeliveryCounts();
    for (const connection of this.delivery.connections(to)) {
      connection.close(code, reason);
      counts.count('sent');
    }
    return counts;
  }

  #leave(to: Recipient, room: string): DeliveryCounts {
    const counts = new DeliveryCounts();
    for (const connection of this.delivery.connections(to)) {
      connection.leave(room);
      counts.count('sent');
    }
    return counts;
  }

  #publish(
    command: PublicationOf<'disconnect' | 'join' | 'leave'>,
    counts: DeliveryCounts,
  ): Promise<Receipt> {
    return this.cluster.publish([command], CONFIRM_TIMEOUT_MS, counts);
  }
}
