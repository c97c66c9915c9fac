import type { Connection } from '../connections/connection.js';
import type { ConnectionObserver } from '../connections/connection-observer.js';
import type { PayloadValidator } from '../contract/payload-validator.js';
import { encodeRequest } from '../protocol/codec.js';
import { ErrorCode, WIRE_CODE, defaultErrorMessage, isWireErrorCode } from '../protocol/error-codes.js';
import type { WireError } from '../protocol/envelope.js';

/** A request that got no valid reply; `code` is `TIMEOUT`, `UNAVAILABLE`, `VALIDATION_FAILED` or the client's own. */
export class ClientRequestError extends Error {
  override readonly name = 'ClientRequestError';
  readonly [WIRE_CODE]: ErrorCode;

  constructor(
    readonly code: string,
    message: string,
    /** The `details` of the client's `$error`; not validated. */
    readonly details?: unknown,
  ) {
    super(message);
    this[WIRE_CODE] = code === ErrorCode.TIMEOUT ? ErrorCode.TIMEOUT : ErrorCode.UNAVAILABLE;
  }
}

interface PendingRequest {
  readonly waitingFor: Set<Connection>;
  readonly reply: PayloadValidator | undefined;
  readonly resolve: (payload: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** This node's requests to its clients that have no reply yet. */
export class ClientRequests implements ConnectionObserver {
  readonly #pending = new Map<string, PendingRequest>();
  #count = 0;

  get size(): number {
    return this.#pending.size;
  }

  /** Sends a request to each connection. Resolves with the first valid reply; rejects with the failure of the last one. */
  request(
    connections: Iterable<Connection>,
    request: { type: string; payload: unknown; reply: PayloadValidator | undefined },
    timeoutMs: number,
  ): Promise<unknown> {
    const id = `s${++this.#count}`;
    const text = encodeRequest(id, request.type, request.payload);
    const waitingFor = new Set<Connection>();
    for (const connection of connections) {
      if (!connection.isOpen) continue;
      // Throws for a text that is too large, before a reply is expected.
      connection.sendText(text);
      connection.receiveQueue.expectReply();
      waitingFor.add(connection);
    }
    if (waitingFor.size === 0) {
      const message = `No open connection can reply to "${request.type}": its recipient is not connected, or on a path whose contract has no such message.`;
      return Promise.reject(new ClientRequestError(ErrorCode.UNAVAILABLE, message));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(id, pending);
        reject(
          new ClientRequestError(ErrorCode.TIMEOUT, `No reply to "${request.type}" within ${timeoutMs} ms.`),
        );
      }, timeoutMs);
      timer.unref();
      const pending = { waitingFor, reply: request.reply, resolve, reject, timer };
      this.#pending.set(id, pending);
    });
  }

  /** Takes a client's `$reply`. False when no request waits for it: it is late, or this connection got no such request. */
  async replied(connection: Connection, id: unknown, payload: unknown): Promise<boolean> {
    const pending = this.#of(connection, id);
    if (pending === undefined) return false;
    const validation = (await pending.reply?.validate(payload)) ?? { value: payload };
    // Another reply or the timeout may have settled the request during validation.
    if (this.#of(connection, id) !== pending) return true;
    if (validation.issues === undefined) {
      this.#settle(id as string, pending);
      pending.resolve(validation.value);
    } else {
      this.#fail(id as string, connection, pending, {
        code: ErrorCode.VALIDATION_FAILED,
        message: 'The reply does not fit its contract.',
      });
    }
    return true;
  }

  /** Takes a client's `$error` to a request. False when no request waits for it. */
  refused(connection: Connection, id: unknown, payload: unknown): boolean {
    const pending = this.#of(connection, id);
    if (pending === undefined) return false;
    this.#fail(id as string, connection, pending, readWireError(payload));
    return true;
  }

  /** Fails the requests that only this connection could still reply to. */
  closed(connection: Connection): void {
    for (const [id, pending] of this.#pending) {
      if (!pending.waitingFor.has(connection)) continue;
      this.#fail(id, connection, pending, {
        code: ErrorCode.UNAVAILABLE,
        message: 'The client disconnected before it replied.',
      });
    }
  }

  /** Rejects every request when the process shuts down. */
  close(): void {
    for (const [id, pending] of this.#pending) {
      this.#settle(id, pending);
      pending.reject(new ClientRequestError(ErrorCode.UNAVAILABLE, 'The server is shutting down.'));
    }
  }

  #of(connection: Connection, id: unknown): PendingRequest | undefined {
    const pending = typeof id === 'string' ? this.#pending.get(id) : undefined;
    return pending?.waitingFor.has(connection) ? pending : undefined;
  }

  #fail(
    id: string,
    connection: Connection,
    pending: PendingRequest,
    { code, message, details }: WireError,
  ): void {
    // The request may have timed out, or this connection may have failed it already, during validation.
    if (!pending.waitingFor.delete(connection)) return;
    connection.receiveQueue.replySettled();
    if (pending.waitingFor.size > 0) return;
    this.#settle(id, pending);
    pending.reject(new ClientRequestError(code, message, details));
  }

  #settle(id: string, pending: PendingRequest): void {
    clearTimeout(pending.timer);
    this.#pending.delete(id);
    for (const connection of pending.waitingFor) connection.receiveQueue.replySettled();
    pending.waitingFor.clear();
  }
}

function readWireError(payload: unknown): WireError {
  const { code, message, details } = (
    typeof payload === 'object' && payload !== null ? payload : {}
  ) as Partial<WireError>;
  const known = isWireErrorCode(code) ? code : ErrorCode.BAD_REQUEST;
  return {
    code: known,
    message: typeof message === 'string' ? message.slice(0, 256) : defaultErrorMessage(known),
    details,
  };
}
