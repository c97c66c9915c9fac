import { BackplaneError, type BackplaneFailure } from '../backplane/backplane-error.js';

/** What is known when the promise of a send or another command resolves; never more than was seen. */
export interface Receipt {
  /** Connections that it reached: those of this node and, with `confirmWithinMs`, of the nodes that replied. */
  readonly delivered: number;
  /**
   * Connections that did not get it: closing, or too far behind for a volatile message. One that waits for a client may
   * still give way to newer ones, which only `realtime_messages_dropped_total` counts. Counted as `delivered` is.
   */
  readonly dropped: number;
  /** Other nodes that it was handed to; for several users or rooms, at least so many. */
  readonly nodes: number;
  /**
   * Of these, how many did not confirm in time; 0 when nobody asked them to. After `joinRoom` also this node, while its
   * own subscription to the room is pending.
   */
  readonly missingNodes: number;
  /**
   * `cluster`: handed to every node that was subscribed for a recipient; one that is just reconnecting is not, and nobody
   * can know. `node`: only this node was told, because of `local` or of `failure`.
   */
  readonly scope: 'cluster' | 'node';
  /** Why other nodes were not told, or with `timeout` may not have been; `null` when all is well. */
  readonly failure: BackplaneFailure | null;
}

/** Adds up what becomes of one message or command, here and on other nodes. */
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

  /** One publication was handed to so many nodes. */
  reached(nodes: number, missingNodes: number): void {
    this.#nodes = Math.max(this.#nodes, nodes);
    this.#missingNodes = Math.max(this.#missingNodes, missingNodes);
  }

  /** What other nodes send does not reach this one yet. */
  pendingHere(): void {
    this.#isPendingHere = true;
  }

  /** One publication did not get out; anything but a `BackplaneError` is a fault and goes on to the caller. */
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

/** The failure behind an error of the backplane; anything else is a fault and goes on to the caller. */
export function failureOf(error: unknown): BackplaneFailure {
  if (error instanceof BackplaneError) return error.reason;
  throw error;
}
