import type { PublishOutcome } from '../backplane/backplane.js';
import type { Publication, ReplyTo } from '../backplane/publication.js';

export type Reply = Extract<Publication, { kind: 'reply' }>;

/** The replies to one publication, at most one per node, and how many nodes got the publication. */
export interface CollectedReplies {
  readonly nodes: number;
  readonly replies: readonly Reply[];
}

/** Replies of more nodes are ignored; no cluster has so many. */
const MAX_NODES = 10_000;
const MAX_TIMER_MS = 2_147_483_647;

/** The replies to one publication so far. */
class PendingReplies {
  readonly done: Promise<void>;
  readonly #byNode = new Map<string, Reply>();
  #resolve!: () => void;
  #expected = Infinity;

  constructor(private readonly isEnough: (reply: Reply) => boolean) {
    this.done = new Promise((resolve) => (this.#resolve = resolve));
  }

  get replies(): readonly Reply[] {
    return [...this.#byNode.values()];
  }

  /** The publication reached so many nodes; their replies may have come already. */
  expect(nodes: number): void {
    this.#expected = nodes;
    this.#settle();
  }

  /** A second reply of a node is ignored: its connections are counted. */
  add(reply: Reply): void {
    if (this.#byNode.has(reply.node) || this.#byNode.size >= MAX_NODES) return;
    this.#byNode.set(reply.node, reply);
    if (this.isEnough(reply)) this.stop();
    else this.#settle();
  }

  stop(): void {
    this.#resolve();
  }

  #settle(): void {
    if (this.#byNode.size >= this.#expected) this.stop();
  }
}

const NEVER_ENOUGH = () => false;

/** Collects the replies of other nodes to this node's publications, each for a bounded time. */
export class ReplyCollector {
  readonly #pending = new Map<string, PendingReplies>();
  #count = 0;

  constructor(private readonly nodeId: string) {}

  get size(): number {
    return this.#pending.size;
  }

  /**
   * Publishes with an address for replies. Resolves when every node that got the publication has replied, when one reply
   * is enough, or when the time is up. Rejects as `publish` does.
   */
  async collect(
    timeoutMs: number,
    publish: (replyTo: ReplyTo) => Promise<PublishOutcome>,
    isEnough: (reply: Reply) => boolean = NEVER_ENOUGH,
  ): Promise<CollectedReplies> {
    const id = (++this.#count).toString(36);
    const pending = new PendingReplies(isEnough);
    this.#pending.set(id, pending);
    const timer = setTimeout(() => pending.stop(), Math.min(timeoutMs, MAX_TIMER_MS));
    timer.unref();
    try {
      const { nodes } = await publish({ node: this.nodeId, id });
      pending.expect(nodes);
      await pending.done;
      return { nodes, replies: pending.replies };
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
    }
  }

  receive(reply: Reply): void {
    this.#pending.get(reply.id)?.add(reply);
  }

  /** Ends every wait when the process shuts down. */
  close(): void {
    for (const pending of this.#pending.values()) pending.stop();
  }
}
