import type { Backplane } from '../backplane/backplane.js';
import type { Publication, RemoteAnswer, ReplyTo } from '../backplane/publication.js';
import { channelName } from '../protocol/channel.js';
import type { Connection } from '../connections/connection.js';
import { Frame } from '../connections/frame.js';
import type { WireError } from '../protocol/envelope.js';
import { ErrorCode } from '../protocol/error-codes.js';
import { ClientRequestError, type ClientRequests } from './client-requests.js';
import type { LocalDelivery } from './local-delivery.js';
import type { ReplyCollector } from './reply-collector.js';
import type { ServerMessages } from './server-messages.js';

const MAX_UNKNOWN_TYPES = 100;
const MAX_LOGGED_LENGTH = 100;

/** Carries out on this node what another node published, and tells it what came of it if it wants to know. */
export class PublicationHandlers {
  readonly #unknown = new Set<string>();

  constructor(
    private readonly delivery: LocalDelivery,
    private readonly serverMessages: ServerMessages,
    private readonly requests: ClientRequests,
    private readonly replies: ReplyCollector,
    private readonly backplane: Backplane,
    /** Told what failed, with the type of its message if it has one. */
    private readonly onFailure: (error: unknown, type?: string) => void,
  ) {}

  /** Never throws: it is called from an event of the backplane's client, where a throw ends the process. */
  receive(publication: Publication): void {
    try {
      this.#carryOut(publication);
    } catch (error) {
      const type = 'type' in publication ? publication.type : '';
      this.onFailure(error, this.serverMessages.entryOf(type) && type);
    }
  }

  #carryOut(publication: Publication): void {
    switch (publication.kind) {
      case 'message': {
        const { type, text, except, replyTo } = publication;
        this.#noteUnknown(type);
        const delivery = {
          type,
          frame: new Frame(text),
          except,
          volatile: publication.delivery === 'volatile',
        };
        // Another node may allow more than this one; the clients here are not to blame.
        this.delivery.requireSize(delivery);
        const counts = this.delivery.deliver(publication.to, delivery);
        this.#reply(replyTo, counts.delivered, counts.dropped);
        return;
      }
      case 'disconnect':
        this.#apply(publication, (connection) => connection.close(publication.code, publication.reason));
        return;
      case 'join':
        this.#join(publication.room, this.delivery.recipients(publication.to), publication.replyTo);
        return;
      case 'leave':
        this.#apply(publication, (connection) => connection.leave(publication.room));
        return;
      case 'request':
        this.#ask(publication).catch((error: unknown) => this.onFailure(error));
        return;
      case 'reply':
        this.replies.receive(publication);
        return;
    }
  }

  /** Said once for a type: nodes whose contracts differ would otherwise lose its messages without a word. */
  #noteUnknown(type: string): void {
    if (this.serverMessages.entryOf(type) !== undefined || this.#unknown.has(type)) return;
    if (this.#unknown.size >= MAX_UNKNOWN_TYPES) return;
    this.#unknown.add(type);
    this.onFailure(
      new Error(
        `Another node sent the message "${type}", which no contract of this node knows: no connection here gets it.`,
      ),
      type.slice(0, MAX_LOGGED_LENGTH),
    );
  }

  #apply(
    { to, replyTo }: Extract<Publication, { kind: 'disconnect' | 'join' | 'leave' }>,
    change: (connection: Connection) => void,
  ): void {
    const connections = this.delivery.recipients(to);
    for (const connection of connections) change(connection);
    this.#reply(replyTo, connections.length, 0);
  }

  #join(room: string, connections: readonly Connection[], replyTo: ReplyTo | undefined): void {
    Promise.all(connections.map((connection) => connection.join(room)))
      .then(() => {
        // The asking node counts this one as missing: it is not true yet that later sends reach them all.
        if (connections.length > 0 && this.delivery.isPending(room)) return;
        this.#reply(replyTo, connections.length, 0);
      })
      .catch((error: unknown) => this.onFailure(error));
  }

  async #ask({
    to,
    type,
    payload,
    timeoutMs,
    replyTo,
  }: Extract<Publication, { kind: 'request' }>): Promise<void> {
    const reply = this.serverMessages.entryOf(type)?.reply;
    const connections = this.delivery.recipientsOf(type, to);
    let answer: RemoteAnswer;
    try {
      const answered = await this.requests.ask(connections, { type, payload, reply }, timeoutMs);
      answer = { ok: true, payload: answered };
    } catch (error) {
      const failure: WireError = error instanceof ClientRequestError ? error : FAULT;
      answer = { ok: false, code: failure.code, message: failure.message, details: failure.details };
    }
    this.#reply(replyTo, connections.length, 0, answer);
  }

  #reply(replyTo: ReplyTo | undefined, delivered: number, dropped: number, answer?: RemoteAnswer): void {
    if (replyTo === undefined) return;
    const reply: Publication = { kind: 'reply', id: replyTo.id, delivered, dropped, answer };
    this.backplane
      .publish(channelName('node', replyTo.node), reply)
      .catch((error: unknown) => this.onFailure(error));
  }
}

const FAULT = { code: ErrorCode.INTERNAL, message: 'internal error' };
