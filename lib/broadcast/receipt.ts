import { BackplaneError, type BackplaneFailure } from '../backplane/backplane-error.js';

/** What was known of a send or command when its promise resolved. */
export interface Receipt {
  /** Connections that it reached: those of this node and, when confirmation was requested, of the nodes that replied. */
  readonly delivered: number;
  /**
   * Connections that did not get it: closing, or too far behind for a volatile message. A queued volatile message may still
   * be dropped for newer ones; only `realtime_messages_dropped_total` counts that.
   */
  readonly dropped: number;
  /** Other nodes that got the publication; for several users or rooms, a lower bound. */
  readonly nodes: number;
  /**
   * How many of these nodes did not confirm in time; 0 when no confirmation was requested. After `joinRoom` it includes this
   * node while its own subscription to the room is pending.
   */
  readonly missingNodes: number;
  /**
   * `cluster`: published to every node that was subscribed for a recipient, which a node that is reconnecting is not.
   * `node`: only this node was told, because of the option `local` or of `failure`.
   */
  readonly scope: 'cluster' | 'node';
  /** Why other nodes were not told (with `timeout`: may not have been); `null` when there was no failure. */
  readonly failure: BackplaneFailure | null;
  /** The position of a recoverable message in each channel it was kept in; absent for other messages. */
  readonly positions?: Readonly<Record<string, string>>;
}

/** Counts the connections and nodes that one message or command reached. */
export class DeliveryCounts {
  delivered = 0;
  dropped = 0;
  #nodes = 0;
  #missingNodes = 0;
  #isPendingHere = false;
  #failure: BackplaneFailure | null = null;

  count(outcome: 'sent' | 'dropped' | 'closed'): void {
    if (outcome === 'sent') this.delivered++;
    else this.dropped++;
  }

  add({ delivered, dropped }: { readonly delivered: number; readonly dropped: number }): void {
    this.delivered += delivered;
    this.dropped += dropped;
  }

  /** One publication reached so many nodes, of which some did not confirm. */
  reached(nodes: number, missingNodes: number): void {
    this.#nodes = Math.max(this.#nodes, nodes);
    this.#missingNodes = Math.max(this.#missingNodes, missingNodes);
  }

  /** Other nodes' messages do not reach this node yet. */
  pendingHere(): void {
    this.#isPendingHere = true;
  }

  /** A publication failed. Throws anything but a `BackplaneError`, which is a fault of the caller. */
  failed(error: unknown): void {
    this.#failure ??= failureOf(error);
  }

  receipt(scope: Receipt['scope'] = this.#failure === null ? 'cluster' : 'node'): Receipt {
    const { delivered, dropped } = this;
    return {
      delivered,
      dropped,
      nodes: this.#nodes,
      missingNodes: this.#missingNodes + (this.#isPendingHere ? 1 : 0),
      scope,
      failure: this.#failure,
    };
  }
}

/** The reason of a `BackplaneError`; throws any other error. */
export function failureOf(error: unknown): BackplaneFailure {
  if (error instanceof BackplaneError) return error.reason;
  throw error;
}
