import { Frame } from '../connections/frame.js';
import { LogPace } from '../metrics/log-pace.js';
import type { ClusterPublisher } from './cluster-publisher.js';
import type { LocalDelivery } from './local-delivery.js';
import type { MessageEncoder } from './message-encoder.js';
import type { PublicationOf } from './publication-handlers.js';
import { DeliveryCounts } from './receipt.js';
import { RecentSends } from './recent-sends.js';
import type { ServerMessages } from './server-messages.js';

const NO_IDS: ReadonlySet<string> = new Set();
const MAX_LOGGED_LENGTH = 100;
const UNKNOWN_TYPE_PACE = { burst: 1, intervalMs: 60_000 };

/** Delivers the messages of other nodes to this node's connections. */
export class RemoteMessages {
  readonly #sends = new RecentSends();
  readonly #pace = new LogPace(UNKNOWN_TYPE_PACE);

  constructor(
    private readonly delivery: LocalDelivery,
    private readonly serverMessages: ServerMessages,
    private readonly encoder: MessageEncoder,
    private readonly cluster: ClusterPublisher,
    private readonly warn: (line: string) => void,
  ) {}

  receive({ to, type, text, except, delivery, sendId, replyTo }: PublicationOf<'message'>): void {
    if (this.serverMessages.entryOf(type) === undefined) this.#warnOfUnknown(type);
    const frame = new Frame(text);
    // The sending node may have a larger limit, which must not cost this node's clients their connection.
    this.encoder.requireSize(type, frame);
    const message = { type, frame, except: except.length === 0 ? NO_IDS : new Set(except), delivery };
    const counts = new DeliveryCounts();
    if (sendId === undefined) this.delivery.deliver(to, message, counts);
    else {
      // A connection in several rooms of one send gets it in the first of them.
      this.delivery.deliver(to, message, counts, undefined, this.#sends.roomsOf(sendId));
      this.#sends.add(sendId, to.key);
    }
    this.cluster.reply(replyTo, counts);
  }

  /** Nodes whose contracts differ lose these messages. The type is another node's text, so all share one pace. */
  #warnOfUnknown(type: string): void {
    const suppressed = this.#pace.next('unknown type');
    if (suppressed === undefined) return;
    const name = JSON.stringify(type.slice(0, MAX_LOGGED_LENGTH));
    const others = suppressed === 0 ? '' : ` suppressed=${suppressed}`;
    this.warn(
      `Another node sent the message ${name}, which no contract of this node knows, so no connection here gets it: ` +
        `deploy the same contracts to every node.${others}`,
    );
  }
}
