import type { ConnectionRegistry } from '../connections/connection-registry.js';
import { encodeError, encodeReply } from '../protocol/codec.js';
import type { ClientFrame } from '../protocol/envelope.js';
import { ErrorCode } from '../protocol/error-codes.js';
import type { GatewayConnection } from './gateway-connection.js';
import type { SessionMemory } from './session-memory.js';

const SESSION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * `$resume { sessionId, positions }`: a client says which session it continues. The id is a secret of 122 random bits
 * that only its client knows; one that another user's connection holds is not given away.
 */
export class Resumption {
  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly sessions: SessionMemory,
  ) {}

  receive(connection: GatewayConnection, frame: ClientFrame): void {
    const sessionId = sessionIdOf(frame.payload);
    if (sessionId === undefined) {
      const message = 'expected $resume { sessionId, positions }';
      connection.sendText(encodeError(frame.id, { code: ErrorCode.VALIDATION_FAILED, message }));
    } else if (connection.isIdentified) {
      this.#resume(connection, sessionId, frame);
    } else {
      // Whose session it is can be judged only when the client is known.
      connection.onIdentified = () => this.#resume(connection, sessionId, frame);
    }
  }

  #resume(connection: GatewayConnection, sessionId: string, frame: ClientFrame): void {
    const answersRemembered =
      this.sessions.remembers(sessionId) || this.registry.ofSession(sessionId).length > 0;
    this.registry.resumeSession(connection, sessionId);
    if (frame.id === undefined) return;
    const resumed = { sessionId: connection.sessionId, answersRemembered, recovered: false };
    connection.sendText(encodeReply(frame.id, resumed));
  }
}

function sessionIdOf(payload: unknown): string | undefined {
  const { sessionId } = (typeof payload === 'object' && payload !== null ? payload : {}) as {
    sessionId?: unknown;
  };
  return typeof sessionId === 'string' && SESSION_ID.test(sessionId) ? sessionId : undefined;
}
