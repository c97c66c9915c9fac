import type { Backplane } from '../backplane/backplane.js';
import type { Publication } from '../backplane/publication.js';
import type { ConnectionRegistry } from '../connections/connection-registry.js';
import type { RealtimeLog } from '../metrics/realtime-log.js';
import type { Delivery } from '../protocol/delivery.js';
import { Broadcaster } from './broadcaster.js';
import { ClientRequests } from './client-requests.js';
import { ClusterPublisher } from './cluster-publisher.js';
import { ClusterRequests } from './cluster-requests.js';
import { ConnectionCommands } from './connection-commands.js';
import { LiveSender } from './live-sender.js';
import { LocalDelivery } from './local-delivery.js';
import { MessageEncoder } from './message-encoder.js';
import { PublicationHandlers } from './publication-handlers.js';
import { RemoteMessages } from './remote-messages.js';
import { ReplyCollector } from './reply-collector.js';
import { NoHistorySender, type Sender, type Senders } from './sender.js';
import { ServerMessages } from './server-messages.js';

export interface BroadcastSettings {
  readonly nodeId: string;
  /** The largest message that may be sent. */
  readonly maxQueueBytes: number;
}

/** The parts that send to this node's connections and to other nodes; a process without sockets has them too. */
export class BroadcastCore {
  readonly serverMessages = new ServerMessages();
  readonly requests = new ClientRequests();
  readonly delivery: LocalDelivery;
  readonly publications: PublicationHandlers;
  readonly broadcaster: Broadcaster;
  readonly #replies: ReplyCollector;
  readonly #senders: Senders;

  constructor(
    registry: ConnectionRegistry,
    backplane: Backplane,
    { nodeId, maxQueueBytes }: BroadcastSettings,
    logger: Pick<RealtimeLog, 'failure' | 'warn'>,
  ) {
    const { serverMessages, requests } = this;
    const failed = (error: unknown, publication?: Publication) => {
      const type = publication !== undefined && 'type' in publication ? publication.type : '';
      // A type that no contract knows is another node's text, which is not logged.
      const known = serverMessages.entryOf(type)?.type;
      logger.failure('publication of another node failed', { type: known }, error);
    };
    this.delivery = new LocalDelivery(registry, serverMessages);
    this.#replies = new ReplyCollector(nodeId);
    const cluster = new ClusterPublisher(backplane, this.#replies, nodeId, (error) => failed(error));
    const encoder = new MessageEncoder(serverMessages, maxQueueBytes);
    const live = new LiveSender(this.delivery, cluster, nodeId);
    this.#senders = { volatile: live, live, recoverable: new NoHistorySender() };
    const commands = new ConnectionCommands(this.delivery, cluster);
    const clusterRequests = new ClusterRequests(this.delivery, serverMessages, requests, cluster);
    this.broadcaster = new Broadcaster(this.#senders, encoder, clusterRequests, commands);
    const messages = new RemoteMessages(this.delivery, serverMessages, encoder, cluster, (line) =>
      logger.warn(line),
    );
    this.publications = new PublicationHandlers(
      {
        message: (publication) => messages.receive(publication),
        disconnect: (publication) => commands.receiveDisconnect(publication),
        join: (publication) => commands.receiveJoin(publication),
        leave: (publication) => commands.receiveLeave(publication),
        request: (publication) => clusterRequests.receive(publication),
        reply: (publication) => this.#replies.receive(publication),
      },
      failed,
    );
  }

  /** Sends the messages of a delivery class with this sender from now on. */
  useSender(delivery: Delivery, sender: Sender): void {
    this.#senders[delivery] = sender;
  }

  /** Ends every wait for a client or another node. */
  close(): void {
    this.requests.close();
    this.#replies.close();
  }
}
