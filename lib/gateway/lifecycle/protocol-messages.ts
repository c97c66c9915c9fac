import type { ClientRequests } from '../../broadcast/client-requests.js';
import type { ReplyStreams } from '../../messages/reply-streams.js';
import type { RealtimeLog } from '../../metrics/realtime-log.js';
import type { RealtimeMetrics } from '../../metrics/realtime-metrics.js';
import { encodePong } from '../../protocol/codec.js';
import type { ClientFrame } from '../../protocol/envelope.js';
import type { GatewayConnection } from './gateway-connection.js';

/** Handles one message type of the protocol. These messages do not wait in the receive queue. */
export interface ProtocolMessage {
  /** Must not throw. */
  receive(connection: GatewayConnection, frame: ClientFrame): void;
}

/** The messages of the protocol by type: `ping`, and every type that begins with `$`. */
export type ProtocolMessages = ReadonlyMap<string, ProtocolMessage>;

export const ping: ProtocolMessage = {
  receive(connection, frame) {
    connection.sendText(encodePong(frame.id));
  },
};

/** `$reply`: the client's reply to a request of the server. A reply that comes too late changes nothing. */
export class ReplyMessage implements ProtocolMessage {
  constructor(
    private readonly requests: ClientRequests,
    private readonly metrics: RealtimeMetrics,
    private readonly log: RealtimeLog,
  ) {}

  receive(connection: GatewayConnection, frame: ClientFrame): void {
    this.requests
      .replied(connection, frame.id, frame.payload)
      .then((isAwaited) => isAwaited || this.metrics.answersIgnored.add())
      .catch((error: unknown) => this.#report(connection, error));
  }

  #report({ id, path, userId }: GatewayConnection, error: unknown): void {
    this.log.failure('reply failed', { type: '$reply', path, connection: id, user: userId }, error);
  }
}

/** `$error`: the client's refusal of a request of the server. */
export class ErrorMessage implements ProtocolMessage {
  constructor(
    private readonly requests: ClientRequests,
    private readonly metrics: RealtimeMetrics,
  ) {}

  receive(connection: GatewayConnection, frame: ClientFrame): void {
    if (!this.requests.refused(connection, frame.id, frame.payload)) this.metrics.answersIgnored.add();
  }
}

/** `$cancel`: ends a streamed reply, also one whose handler still runs. */
export class CancelMessage implements ProtocolMessage {
  constructor(private readonly streams: ReplyStreams) {}

  receive(connection: GatewayConnection, { id }: ClientFrame): void {
    if (id === undefined || this.streams.cancel(connection, id)) return;
    const unanswered = connection.receiveQueue.pending(id);
    if (unanswered !== undefined) this.streams.cancelPending(unanswered);
  }
}
