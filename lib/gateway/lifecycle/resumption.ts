import { nodeOf } from '../../connections/connection-id.js';
import type { ConnectionRegistry } from '../../connections/connection-registry.js';
import type { IdempotencyCache } from '../../messages/idempotency-cache.js';
import { encodeError, encodeReply } from '../../protocol/codec.js';
import type { ClientFrame } from '../../protocol/envelope.js';
import { ErrorCode } from '../../protocol/error-codes.js';
import type { GatewayConnection } from './gateway-connection.js';

const SESSION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MAX_CONNECTION_IDS = 8;
const MAX_CONNECTION_ID_LENGTH = 128;

/** What a client says of the session that it continues. */
interface Resumed {
  readonly sessionId: string;
  /** Its connections of the session, newest first. */
  readonly connectionIds: readonly string[];
}

/**
 * `$resume { sessionId, connectionIds?, positions }`: a client says which session it continues. The id is a secret of 122
 * random bits that only its client knows; one that is, or was lately, another user's is not given away.
 */
export class Resumption {
  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly idempotency: IdempotencyCache,
  ) {}

  receive(connection: GatewayConnection, frame: ClientFrame): void {
    const resumed = resumedOf(frame.payload);
    if (resumed === undefined) {
      const message = 'expected $resume { sessionId, positions }';
      connection.sendText(encodeError(frame.id, { code: ErrorCode.VALIDATION_FAILED, message }));
    } else if (connection.isIdentified) {
      this.#resume(connection, resumed, frame);
    } else if (connection.onIdentified !== undefined) {
      const message = 'another $resume waits for authentication';
      connection.sendText(encodeError(frame.id, { code: ErrorCode.BAD_REQUEST, message }));
    } else {
      // Whose session it is can be judged only when the client is known.
      connection.onIdentified = () => this.#resume(connection, resumed, frame);
    }
  }

  #resume(connection: GatewayConnection, { sessionId, connectionIds }: Resumed, frame: ClientFrame): void {
    const { sessionId: before, userId } = connection;
    // Answers are held by the node that gave them: one that was given elsewhere meanwhile is missing here.
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
