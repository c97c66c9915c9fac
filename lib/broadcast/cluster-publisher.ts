import type { Backplane, PublishOutcome } from '../backplane/backplane.js';
import type { Publication, Recipient, RemoteAnswer, ReplyTo } from '../backplane/publication.js';
import { nodeOf } from '../connections/connection-id.js';
import { ALL_CHANNEL, channelName } from '../protocol/channel.js';
import { ErrorCode } from '../protocol/error-codes.js';
import { ClientRequestError } from './client-requests.js';
import type { PublicationOf } from './publication-handlers.js';
import { failureOf, type DeliveryCounts, type Receipt } from './receipt.js';
import type { CollectedReplies, Reply, ReplyCollector } from './reply-collector.js';

type Addressed = Extract<Publication, { to: Recipient }>;
type RequestPublication = Omit<PublicationOf<'request'>, 'replyTo'>;

// Added to the client's own timeout, for the way to its node and back.
const TRAVEL_MS = 1_000;

/** Publishes to the other nodes. A failure of the backplane goes into the receipt; anything else rejects. */
export class ClusterPublisher {
  constructor(
    private readonly backplane: Backplane,
    private readonly replies: ReplyCollector,
    private readonly nodeId: string,
    /** Is called when a reply to another node could not be published. */
    private readonly replyFailed: (error: unknown) => void,
  ) {}

  /** Publishes what came of one send or command, adds the outcome to `counts`, and resolves with their receipt. */
  publish(
    publications: readonly Publication[],
    confirmWithinMs: number | false,
    counts: DeliveryCounts,
  ): Promise<Receipt> {
    const [first] = publications as readonly Addressed[];
    if (first === undefined || this.isHere(first.to)) return Promise.resolve(counts.receipt());
    if (publications.length === 1) return this.#publishOne(first, confirmWithinMs, counts);
    const receipts = (publications as readonly Addressed[]).map((publication) =>
      this.#publishOne(publication, confirmWithinMs, counts),
    );
    return Promise.all(receipts).then(() => counts.receipt());
  }

  /** Requests a reply of the clients on other nodes; rejects with a `ClientRequestError` when none sends a valid one. */
  async request(publication: RequestPublication): Promise<unknown> {
    const publish = (replyTo: ReplyTo) => this.#publish({ ...publication, replyTo });
    let collected: CollectedReplies;
    try {
      collected = await this.replies.collect(publication.timeoutMs + TRAVEL_MS, publish, isValid);
    } catch (error) {
      const message = `The request did not reach other nodes: ${failureOf(error)}.`;
      throw new ClientRequestError(ErrorCode.UNAVAILABLE, message);
    }
    return replyOf(publication.type, collected);
  }

  /** Reports to another node what came of its publication, if it waits for that. */
  reply(
    replyTo: ReplyTo | undefined,
    { delivered, dropped }: { readonly delivered: number; readonly dropped: number },
    answer?: RemoteAnswer,
  ): void {
    if (replyTo === undefined) return;
    const reply: Reply = { kind: 'reply', id: replyTo.id, node: this.nodeId, delivered, dropped, answer };
    this.backplane.publish(channelName('node', replyTo.node), reply).catch(this.replyFailed);
  }

  /** Whether a recipient can only be on this node: the id of a connection names its node. */
  isHere({ kind, key }: Recipient): boolean {
    return kind === 'connection' && nodeOf(key) === this.nodeId;
  }

  #publishOne(
    publication: Addressed,
    confirmWithinMs: number | false,
    counts: DeliveryCounts,
  ): Promise<Receipt> {
    if (confirmWithinMs === false) return unconfirmed(this.#publish(publication), counts);
    const publish = (replyTo: ReplyTo) => this.#publish({ ...publication, replyTo });
    return confirmed(this.replies.collect(confirmWithinMs, publish), counts);
  }

  #publish(publication: Addressed): Promise<PublishOutcome> {
    return this.backplane.publish(channelFor(publication.to), publication);
  }
}

function isValid({ answer }: Reply): boolean {
  return answer?.ok === true;
}

function replyOf(type: string, { nodes, replies }: CollectedReplies): unknown {
  const valid = replies.find(isValid)?.answer;
  if (valid?.ok === true) return valid.payload;
  if (replies.length < nodes) {
    throw new ClientRequestError(ErrorCode.TIMEOUT, `No reply to "${type}" in time.`);
  }
  const refused = replies.map(({ answer }) => answer).filter((answer) => answer?.ok === false);
  const specific = refused.find(({ code }) => code !== ErrorCode.UNAVAILABLE) ?? refused[0];
  throw new ClientRequestError(
    specific?.code ?? ErrorCode.UNAVAILABLE,
    specific?.message ?? 'No connection on another node can reply.',
    specific?.details,
  );
}

// Module-level so that the closure retains only the counts while Redis is awaited, not the message.
function unconfirmed(outcome: Promise<PublishOutcome>, counts: DeliveryCounts): Promise<Receipt> {
  return outcome.then(
    ({ nodes }) => {
      counts.reached(nodes, 0);
      return counts.receipt();
    },
    (error: unknown) => {
      counts.failed(error);
      return counts.receipt();
    },
  );
}

async function confirmed(collected: Promise<CollectedReplies>, counts: DeliveryCounts): Promise<Receipt> {
  try {
    const { nodes, replies } = await collected;
    for (const reply of replies) counts.add(reply);
    counts.reached(nodes, Math.max(0, nodes - replies.length));
  } catch (error) {
    counts.failed(error);
  }
  return counts.receipt();
}

function channelFor({ kind, key }: Recipient): string {
  switch (kind) {
    case 'user':
    case 'room':
      return channelName(kind, key);
    case 'connection':
      return channelName('node', nodeOf(key));
    case 'all':
    case 'session':
      return ALL_CHANNEL;
  }
}
