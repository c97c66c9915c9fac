import type { Recipient, RemoteAnswer } from '../backplane/publication.js';
import type { PayloadValidator } from '../contract/payload-validator.js';
import { ErrorCode } from '../protocol/error-codes.js';
import type { Message, WireError } from '../protocol/envelope.js';
import { ClientRequestError, type ClientRequests } from './client-requests.js';
import type { ClusterPublisher } from './cluster-publisher.js';
import type { LocalDelivery } from './local-delivery.js';
import { requireMessage } from './message-encoder.js';
import type { PublicationOf } from './publication-handlers.js';
import type { ServerMessages } from './server-messages.js';

const INTERNAL = { code: ErrorCode.INTERNAL, message: 'internal error' };

/** Sends requests to clients on every node, and carries out those of other nodes. */
export class ClusterRequests {
  constructor(
    private readonly delivery: LocalDelivery,
    private readonly serverMessages: ServerMessages,
    private readonly requests: ClientRequests,
    private readonly cluster: ClusterPublisher,
  ) {}

  /** Resolves with the first valid reply; rejects with a `ClientRequestError`, and for a message without a reply. */
  request(to: Recipient, message: Message, timeoutMs: number): Promise<unknown> {
    const { type, payload } = requireMessage(message);
    const { reply } = this.serverMessages.require(type);
    if (reply === undefined) {
      throw new Error(
        `Expected a server message with a reply in its contract, got "${type}": declare its reply, or send it with sendToUser() or sendToConnection().`,
      );
    }
    const connections = this.delivery.connectionsKnowing(type, to);
    const here = this.requests.request(connections, { type, payload, reply }, timeoutMs);
    if (this.cluster.isHere(to)) return here;
    const publication = { kind: 'request', to, type, payload: payload ?? null, timeoutMs } as const;
    return firstReply([here, this.#requestElsewhere(publication, reply)]);
  }

  /** Puts the request of another node to this node's clients. */
  async receive({ to, type, payload, timeoutMs, replyTo }: PublicationOf<'request'>): Promise<void> {
    const reply = this.serverMessages.entryOf(type)?.reply;
    const connections = this.delivery.connectionsKnowing(type, to);
    let answer: RemoteAnswer;
    try {
      const received = await this.requests.request(connections, { type, payload, reply }, timeoutMs);
      answer = { ok: true, payload: received };
    } catch (error) {
      const { code, message, details }: WireError = error instanceof ClientRequestError ? error : INTERNAL;
      answer = { ok: false, code, message, details };
    }
    this.cluster.reply(replyTo, { delivered: connections.length, dropped: 0 }, answer);
  }

  /** A reply from another node has become JSON again, so it is validated here too. */
  async #requestElsewhere(
    publication: Omit<PublicationOf<'request'>, 'replyTo'>,
    reply: PayloadValidator,
  ): Promise<unknown> {
    const validation = await reply.validate(await this.cluster.request(publication));
    if (validation.issues === undefined) return validation.value;
    throw new ClientRequestError(ErrorCode.VALIDATION_FAILED, 'The reply does not fit its contract.');
  }
}

/** The first valid reply; without one, the most specific failure: `UNAVAILABLE` only if there is no other. */
async function firstReply(replies: readonly Promise<unknown>[]): Promise<unknown> {
  try {
    return await Promise.any(replies);
  } catch (error) {
    const errors = (error as AggregateError).errors as unknown[];
    const specific = errors.find(
      (each) => !(each instanceof ClientRequestError) || each.code !== ErrorCode.UNAVAILABLE,
    );
    throw specific ?? errors[0];
  }
}
