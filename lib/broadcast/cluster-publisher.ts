import type { Backplane, PublishOutcome } from '../backplane/backplane.js';
import type { Publication, Recipient, ReplyTo } from '../backplane/publication.js';
import { ALL_CHANNEL, channelName } from '../protocol/channel.js';
import { nodeOf } from '../connections/connection-id.js';
import { ErrorCode } from '../protocol/error-codes.js';
import { ClientRequestError } from './client-requests.js';
import { failureOf, type Receipt, type DeliveryCounts } from './receipt.js';
import type { ReplyCollector, Reply } from './reply-collector.js';

type Addressed = Extract<Publication, { to: Recipient }>;
type Question = Omit<Extract<Publication, { kind: 'request' }>, 'replyTo'>;

// What a node needs beyond the client's own time to carry a question there and the answer back.
const TRAVEL_MS = 1_000;

/** Speaks to the other nodes, and never fails because of them: what is not known is said. */
export class ClusterPublisher {
  constructor(
    private readonly backplane: Backplane,
    private readonly replies: ReplyCollector,
  ) {}

  /** Adds what is known of a publication to the counts, and resolves with its receipt as it stands then. */
  publish(
    publication: Publication,
    confirmWithinMs: number | false,
    counts: DeliveryCounts,
  ): Promise<Receipt> {
    if (confirmWithinMs === false) return handed(this.#publish(publication as Addressed), counts);
    const publish = (replyTo: ReplyTo) =>
      this.#publish({ ...publication, replyTo } as Addressed).then(nodesOf);
    return confirmed(this.replies.gather(confirmWithinMs, publish), counts);
  }

  /** Asks the clients on other nodes; rejects with a `ClientRequestError` when none of them answers well. */
  async ask(question: Question): Promise<unknown> {
    const publish = (replyTo: ReplyTo) => this.#publish({ ...question, replyTo }).then(nodesOf);
    const isGood = ({ answer }: Reply) => answer?.ok === true;
    let gathered: Awaited<ReturnType<ReplyCollector['gather']>>;
    try {
      gathered = await this.replies.gather(question.timeoutMs + TRAVEL_MS, publish, isGood);
    } catch (error) {
      throw new ClientRequestError(ErrorCode.UNAVAILABLE, `Other nodes were not asked: ${failureOf(error)}.`);
    }
    const { nodes, replies } = gathered;
    const good = replies.find(isGood)?.answer;
    if (good?.ok === true) return good.payload;
    if (replies.length < nodes) {
      throw new ClientRequestError(ErrorCode.TIMEOUT, `No answer to "${question.type}" in time.`);
    }
    const refused = replies.map(({ answer }) => answer).filter((answer) => answer?.ok === false);
    const telling = refused.find(({ code }) => code !== ErrorCode.UNAVAILABLE) ?? refused[0];
    throw new ClientRequestError(
      telling?.code ?? ErrorCode.UNAVAILABLE,
      telling?.message ?? 'Nobody is connected to answer.',
      telling?.details,
    );
  }

  #publish(publication: Addressed): Promise<PublishOutcome> {
    return this.backplane.publish(channelFor(publication.to), publication);
  }
}

function nodesOf({ nodes }: PublishOutcome): number {
  return nodes;
}

// On their own, so that what waits for Redis keeps nothing alive but the counts: not the message.
function handed(outcome: Promise<PublishOutcome>, counts: DeliveryCounts): Promise<Receipt> {
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

async function confirmed(
  gathered: ReturnType<ReplyCollector['gather']>,
  counts: DeliveryCounts,
): Promise<Receipt> {
  try {
    const { nodes, replies } = await gathered;
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
