import type { IncomingMessage } from 'node:http';
import { HttpException, type LoggerService } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import type { ClientRequests } from '../broadcast/client-requests.js';
import type { Disconnection, Identity } from '../connections/connection.js';
import type { ConnectionRegistry } from '../connections/connection-registry.js';
import { refusalOf } from '../messages/wire-error.js';
import type { ReplyStreams } from '../messages/reply-streams.js';
import { CloseCode } from '../protocol/close-codes.js';
import { encodeMessage } from '../protocol/codec.js';
import type { Hello } from '../protocol/envelope.js';
import { ErrorCode } from '../protocol/error-codes.js';
import type { GatewayConnection } from './gateway-connection.js';

/** What `$hello` announces beyond the connection itself. */
export type Announcement = Pick<Hello, 'heartbeat' | 'maxPayloadBytes'>;

/** Leads a connection from "we know who this is" through the app's hooks to its end. Nothing here throws. */
export class ConnectionLifecycle {
  readonly #ending = new Set<Promise<void>>();

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly streams: ReplyStreams,
    private readonly requests: ClientRequests,
    private readonly announcement: Announcement,
    private readonly logger: LoggerService,
  ) {}

  /** Registers the connection, runs `handleConnection`, says `$hello`, and lets the waiting messages in. */
  open(connection: GatewayConnection, identity: Identity, request: IncomingMessage): void {
    connection.identify(identity);
    connection.phase = 'opening';
    connection.opening = this.#open(connection, request).finally(() => {
      connection.opening = undefined;
    });
  }

  /** The socket has closed. */
  end(connection: GatewayConnection, disconnection: Disconnection): void {
    connection.phase = 'closed';
    connection.inbox.close();
    this.registry.remove(connection);
    this.streams.stopAll(connection);
    this.requests.disconnected(connection);
    const ending = this.#end(connection, disconnection).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  /** Resolves when every `handleDisconnect` that is running has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#ending);
  }

  async #open(connection: GatewayConnection, request: IncomingMessage): Promise<void> {
    try {
      await this.registry.add(connection);
      await connection.route.connect(connection, request);
    } catch (error) {
      this.#reject(connection, error);
      return;
    }
    if (!connection.isOpen) return;
    connection.phase = 'open';
    connection.ready(encodeMessage('$hello', this.#hello(connection)));
    connection.inbox.open();
  }

  async #end(connection: GatewayConnection, disconnection: Disconnection): Promise<void> {
    await connection.opening;
    const failures = await connection.route.disconnect(connection, disconnection);
    for (const failure of failures) this.logger.error(failure);
  }

  /** A hook that throws closes this one connection. What it throws for clients says how. */
  #reject(connection: GatewayConnection, thrown: unknown): void {
    const { error, isFault } = refusalOf(thrown);
    if (isFault || !(thrown instanceof HttpException || thrown instanceof WsException)) {
      this.logger.error(thrown);
      connection.close(CloseCode.INTERNAL_ERROR, 'internal error');
    } else if (error.code === ErrorCode.UNAUTHENTICATED) {
      connection.close(CloseCode.UNAUTHENTICATED, error.message);
    } else if (error.code === ErrorCode.UNAVAILABLE || error.code === ErrorCode.RATE_LIMITED) {
      connection.close(CloseCode.TRY_AGAIN_LATER, error.message);
    } else {
      this.logger.warn(`connection ${connection.id} was refused by handleConnection: ${error.code}`);
      connection.close(CloseCode.FORBIDDEN, error.message);
    }
  }

  #hello({ id, sessionId, userId }: GatewayConnection): Hello {
    return { connectionId: id, sessionId, userId: userId ?? null, ...this.announcement, recovered: false };
  }
}
