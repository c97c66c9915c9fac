import type { Backplane, PublishOutcome } from '../backplane/backplane.js';
import type { BackplaneFailure } from '../backplane/backplane-error.js';
import type { Publication, Recipient, ReplyTo } from '../backplane/publication.js';
import { ALL_CHANNEL, channelOf } from '../backplane/subscriptions.js';
import { nodeOf } from '../connections/connection-id.js';
import { ErrorCode } from '../protocol/error-codes.js';
import { ClientRequestError } from './client-requests.js';
import { failureOf } from './receipt.js';
import type { RemoteReplies, Reply } from './remote-replies.js';

/** What is known of a publication to other nodes. */
export interface RemoteOutcome {
  readonly nodes: number;
  readonly missingNodes: number;
  readonly replies: readonly Reply[];
  readonly failure: BackplaneFailure | null;
}

type Addressed = Extract<Publication, { to: Recipient }>;
type Question = Omit<Extract<Publication, { kind: 'ask' }>, 'replyTo'>;

// What a node needs beyond the client's own time to carry a question there and the answer back.
const TRAVEL_MS = 1_000;

/** Speaks to the other nodes, and never fails because of them: what is not known is said. */
export class RemoteNodes {
  constructor(
    private readonly backplane: Backplane,
    private readonly replies: RemoteReplies,
  ) {}

  publish(publication: Publication, confirmWithinMs: number | false): Promise<RemoteOutcome> {
    if (confirmWithinMs === false) return this.#publish(publication as Addressed).then(handedTo, failed);
    const publish = (replyTo: ReplyTo) =>
      this.#publish({ ...publication, replyTo } as Addressed).then(nodesOf);
    return this.replies.gather(confirmWithinMs, publish).then(confirmedBy, failed);
  }

  /** Asks the clients on other nodes; rejects with a `ClientRequestError` when none of them answers well. */
  async ask(question: Question): Promise<unknown> {
    const publish = (replyTo: ReplyTo) => this.#publish({ ...question, replyTo }).then(nodesOf);
    const isGood = ({ answer }: Reply) => answer?.ok === true;
    let gathered: Awaited<ReturnType<RemoteReplies['gather']>>;
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
    );
  }

  #publish(publication: Addressed): Promise<PublishOutcome> {
    return this.backplane.publish(channelFor(publication.to), publication);
  }
}

const NO_REPLIES: readonly Reply[] = [];

function nodesOf({ nodes }: PublishOutcome): number {
  return nodes;
}

function handedTo({ nodes }: PublishOutcome): RemoteOutcome {
  return { nodes, missingNodes: 0, replies: NO_REPLIES, failure: null };
}

function confirmedBy({ nodes, replies }: { nodes: number; replies: readonly Reply[] }): RemoteOutcome {
  return { nodes, missingNodes: Math.max(0, nodes - replies.length), replies, failure: null };
}

function failed(error: unknown): RemoteOutcome {
  return { nodes: 0, missingNodes: 0, replies: NO_REPLIES, failure: failureOf(error) };
}

function channelFor({ kind, key }: Recipient): string {
  switch (kind) {
    case 'user':
    case 'room':
      return channelOf(kind, key);
    case 'connection':
      return channelOf('node', nodeOf(key));
    case 'all':
    case 'session':
      return ALL_CHANNEL;
  }
}
