import { nodeOf } from '../../connections/connection-id.js';
import type { ConnectionRegistry } from '../../connections/connection-registry.js';
import type { IdempotencyCache } from '../../messages/idempotency-cache.js';
import { encodeError, encodeReply } from '../../protocol/codec.js';
import type { ClientFrame } from '../../protocol/envelope.js';
import { ErrorCode } from '../../protocol/error-codes.js';
import type { GatewayConnection, SocketObserver } from './gateway-connection.js';
import type { ProtocolMessage } from './protocol-messages.js';
import type { Recovery } from './recovery.js';

const SESSION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MAX_CONNECTION_IDS = 8;
const MAX_CONNECTION_ID_LENGTH = 128;

/** The session that a client continues. */
interface Resumed {
  readonly sessionId: string;
  /** Its connections of the session, newest first. */
  readonly connectionIds: readonly string[];
}

/**
 * `$resume { sessionId, connectionIds?, positions }`: names the session that a client continues. The id is a secret of 122
 * random bits; a session of another user is not continued.
 */
export class Resumption implements ProtocolMessage, Recovery, SocketObserver {
  /** A `$resume` that waits until its connection is authenticated. */
  readonly #waiting = new Map<GatewayConnection, { resumed: Resumed; frame: ClientFrame }>();

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly idempotency: IdempotencyCache,
  ) {}

  receive(connection: GatewayConnection, frame: ClientFrame): void {
    const resumed = resumedOf(frame.payload);
    const isAuthenticated = connection.phase !== 'authenticating' && connection.phase !== 'verifying';
    if (resumed === undefined) {
      const message = 'expected $resume { sessionId, positions }';
      connection.sendText(encodeError(frame.id, { code: ErrorCode.VALIDATION_FAILED, message }));
    } else if (isAuthenticated) {
      this.#resume(connection, resumed, frame);
    } else if (this.#waiting.has(connection)) {
      const message = 'another $resume waits for authentication';
      connection.sendText(encodeError(frame.id, { code: ErrorCode.BAD_REQUEST, message }));
    } else {
      // Only the user tells whether the session is the client's.
      this.#waiting.set(connection, { resumed, frame });
    }
  }

  identified(connection: GatewayConnection): void {
    const waiting = this.#waiting.get(connection);
    if (waiting === undefined) return;
    this.#waiting.delete(connection);
    this.#resume(connection, waiting.resumed, waiting.frame);
  }

  closed(connection: GatewayConnection): void {
    this.#waiting.delete(connection);
    // The session of a connection that was never open has no replies.
    if (connection.phase === 'open') this.idempotency.ended(connection.sessionId, connection.userId);
  }

  #resume(connection: GatewayConnection, { sessionId, connectionIds }: Resumed, frame: ClientFrame): void {
    const { sessionId: before, userId } = connection;
    // Replies are held by the node that sent them: one that another node sent meanwhile is missing here.
    const wasHere = connectionIds[0] === undefined || nodeOf(connectionIds[0]) === nodeOf(connection.id);
    const answersRemembered = wasHere && this.idempotency.remembers(sessionId, userId);
    if (!this.idempotency.isOfAnother(sessionId, userId)) this.registry.resumeSession(connection, sessionId);
    if (connection.sessionId !== before) this.idempotency.left(before, userId);
    if (frame.id === undefined) return;
    const isResumed = connection.sessionId === sessionId;
    const reply = {
      sessionId: connection.sessionId,
      answersRemembered: isResumed && answersRemembered,
      recovered: false,
    };
    connection.sendText(encodeReply(frame.id, reply));
  }
}

function resumedOf(payload: unknown): Resumed | undefined {
  const { sessionId, connectionIds = [] } = (
    typeof payload === 'object' && payload !== null ? payload : {}
  ) as { sessionId?: unknown; connectionIds?: unknown };
  if (typeof sessionId !== 'string' || !SESSION_ID.test(sessionId)) return undefined;
  if (!Array.isArray(connectionIds) || connectionIds.length > MAX_CONNECTION_IDS) return undefined;
  return connectionIds.every(isConnectionId) ? { sessionId, connectionIds } : undefined;
}

function isConnectionId(id: unknown): id is string {
  return typeof id === 'string' && id !== '' && id.length <= MAX_CONNECTION_ID_LENGTH;
}
