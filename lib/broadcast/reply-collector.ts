import type { Publication, ReplyTo } from '../backplane/publication.js';

export type Reply = Extract<Publication, { kind: 'reply' }>;

/** More replies to one publication are not kept: no cluster has so many nodes. */
const MAX_REPLIES = 10_000;

/** The replies of other nodes to one publication. */
export class Gathering {
  readonly replies: Reply[] = [];
  readonly done: Promise<void>;
  #resolve!: () => void;
  #expected = Infinity;

  constructor(
    readonly replyTo: ReplyTo,
    private readonly isEnough: (reply: Reply) => boolean,
  ) {
    this.done = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** The publication went to so many nodes; replies may have come already. */
  expect(nodes: number): void {
    this.#expected = nodes;
    this.#settle();
  }

  add(reply: Reply): void {
    if (this.replies.length >= MAX_REPLIES) return;
    this.replies.push(reply);
    if (this.isEnough(reply)) this.stop();
    else this.#settle();
  }

  stop(): void {
    this.#resolve();
  }

  #settle(): void {
    if (this.replies.length >= this.#expected) this.stop();
  }
}

const NEVER_ENOUGH = () => false;

/** Brings the replies of other nodes to whoever asked. Nobody waits for ever: a node that has died replies never. */
export class ReplyCollector {
  readonly #gatherings = new Map<string, Gathering>();
  #count = 0;

  constructor(private readonly nodeId: string) {}

  get size(): number {
    return this.#gatherings.size;
  }

  /**
   * Publishes with the address for replies and resolves with those that came in time: from as many nodes as `publish`
   * says were told, until one is enough, or until the time is up. Rejects as `publish` does.
   */
  async gather(
    timeoutMs: number,
    publish: (replyTo: ReplyTo) => Promise<number>,
    isEnough: (reply: Reply) => boolean = NEVER_ENOUGH,
  ): Promise<{ nodes: number; replies: readonly Reply[] }> {
    const id = (++this.#count).toString(36);
    const gathering = new Gathering({ node: this.nodeId, id }, isEnough);
    this.#gatherings.set(id, gathering);
    // The longest delay a timer can hold; a longer one is due at once.
    const timer = setTimeout(() => gathering.stop(), Math.min(timeoutMs, 0x7fffffff));
    timer.unref();
    try {
      const nodes = await publish(gathering.replyTo);
      gathering.expect(nodes);
      await gathering.done;
      return { nodes, replies: gathering.replies };
    } finally {
      clearTimeout(timer);
      this.#gatherings.delete(id);
    }
  }

  receive(reply: Reply): void {
    this.#gatherings.get(reply.id)?.add(reply);
  }

  /** Ends every wait; the process is going away. */
  close(): void {
    for (const gathering of this.#gatherings.values()) gathering.stop();
  }
}
