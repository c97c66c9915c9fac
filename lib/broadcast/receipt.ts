/** What is known of a message when the promise of a send resolves; never more than was seen. */
export interface Receipt {
  /** Connections of this node that it was written to. */
  readonly delivered: number;
  /** Connections of this node that did not get it: volatile while the client was behind, or closing. */
  readonly dropped: number;
  /** Other nodes it was handed to; for several users or rooms, at least so many. */
  readonly nodes: number;
  /** `cluster`: every node with a recipient was told, if there are others. `node`: only this one was (`local`). */
  readonly scope: 'cluster' | 'node';
}

/** Adds up what happened on this node. */
export class Tally {
  delivered = 0;
  dropped = 0;

  count(outcome: 'sent' | 'dropped' | 'closed'): void {
    if (outcome === 'sent') this.delivered++;
    else this.dropped++;
  }
}
