import type { Connection } from '../connections/connection.js';
import type { PayloadValidator } from '../contract/payload-validator.js';
import { encodeRequest } from '../protocol/codec.js';
import { ErrorCode, WIRE_CODE, defaultErrorMessage } from '../protocol/error-codes.js';
import type { WireError } from '../protocol/envelope.js';

/** A request to a client that got no good answer; `code` is `TIMEOUT`, `UNAVAILABLE`, `VALIDATION_FAILED` or the client's. */
export class ClientRequestError extends Error {
  override readonly name = 'ClientRequestError';
  readonly [WIRE_CODE]: ErrorCode;

  constructor(
    readonly code: string,
    message: string,
    /** What the client sent along with its refusal; not validated. */
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

/** The requests this node has put to clients and that still wait for their one answer. */
export class ClientRequests {
  readonly #pending = new Map<string, PendingRequest>();
  #count = 0;

  get size(): number {
    return this.#pending.size;
  }

  /** Asks every connection given; the first good answer wins, the last failure loses. */
  ask(
    connections: Iterable<Connection>,
    request: { type: string; payload: unknown; reply: PayloadValidator | undefined },
    timeoutMs: number,
  ): Promise<unknown> {
    const id = `s${++this.#count}`;
    const text = encodeRequest(id, request.type, request.payload);
    const waitingFor = new Set<Connection>();
    for (const connection of connections) {
      if (!connection.isOpen) continue;
      // Throws for a text that is too large, which then waits for no answer.
      connection.sendText(text);
      connection.receiveQueue.expectReply();
      waitingFor.add(connection);
    }
    if (waitingFor.size === 0) {
      const message = `No open connection can answer "${request.type}": its recipient is away, or on a path whose contract has no such message.`;
      return Promise.reject(new ClientRequestError(ErrorCode.UNAVAILABLE, message));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(id, pending);
        reject(
          new ClientRequestError(ErrorCode.TIMEOUT, `No answer to "${request.type}" within ${timeoutMs} ms.`),
        );
      }, timeoutMs);
      timer.unref();
      const pending = { waitingFor, reply: request.reply, resolve, reject, timer };
      this.#pending.set(id, pending);
    });
  }

  /** A client's `$reply`. False when nobody waits for it: it came too late, or was never asked of this connection. */
  async answered(connection: Connection, id: unknown, payload: unknown): Promise<boolean> {
    const pending = this.#of(connection, id);
    if (pending === undefined) return false;
    const verdict = (await pending.reply?.validate(payload)) ?? { value: payload };
    // Another answer, or the end of its time, may have settled it while this one was validated.
    if (this.#of(connection, id) !== pending) return true;
    if (verdict.issues === undefined) {
      this.#settle(id as string, pending);
      pending.resolve(verdict.value);
    } else {
      this.#fail(id as string, connection, pending, {
        code: ErrorCode.VALIDATION_FAILED,
        message: 'The answer does not fit its contract.',
      });
    }
    return true;
  }

  /** A client's `$error` to a request. */
  refused(connection: Connection, id: unknown, payload: unknown): boolean {
    const pending = this.#of(connection, id);
    if (pending === undefined) return false;
    this.#fail(id as string, connection, pending, readWireError(payload));
    return true;
  }

  /** The connection can answer no more. */
  disconnected(connection: Connection): void {
    for (const [id, pending] of this.#pending) {
      if (!pending.waitingFor.has(connection)) continue;
      this.#fail(id, connection, pending, {
        code: ErrorCode.UNAVAILABLE,
        message: 'The client disconnected before it answered.',
      });
    }
  }

  /** Ends every wait; the process is going away. */
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
    // While its answer was validated it may have timed out, disconnected or answered again.
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

/** An answer from another node is JSON again: what the asker gets is what its contract says. */
export async function validAnswer(reply: PayloadValidator | undefined, answer: unknown): Promise<unknown> {
  const verdict = (await reply?.validate(answer)) ?? { value: answer };
  if (verdict.issues === undefined) return verdict.value;
  throw new ClientRequestError(ErrorCode.VALIDATION_FAILED, 'The answer does not fit its contract.');
}

/** The first good answer; when there is none, the failure that says most. */
export async function firstAnswer(answers: readonly Promise<unknown>[]): Promise<unknown> {
  try {
    return await Promise.any(answers);
  } catch (error) {
    const errors = (error as AggregateError).errors as unknown[];
    const telling = errors.find(
      (each) => !(each instanceof ClientRequestError) || each.code !== ErrorCode.UNAVAILABLE,
    );
    throw telling ?? errors[0];
  }
}

function readWireError(payload: unknown): WireError {
  const { code, message, details } = (
    typeof payload === 'object' && payload !== null ? payload : {}
  ) as Partial<WireError>;
  const known =
    typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : ErrorCode.BAD_REQUEST;
  return {
    code: known,
    message: typeof message === 'string' ? message.slice(0, 256) : defaultErrorMessage(known),
    details,
  };
}
