/** The id of a message that has a reply: a string of at most 128 characters or a finite number. */
export type MessageId = string | number;

/** One reason why a payload was refused; `path` is dotted (`items.0.name`), `''` for the payload itself. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}

/** A message: a `type` and its payload. */
export interface Message<Payload = unknown> {
  readonly type: string;
  readonly payload?: Payload;
}

/** A client's frame after decoding; `id` is set when the client expects a reply. */
export interface ClientFrame {
  readonly type: string;
  readonly payload: unknown;
  readonly id: MessageId | undefined;
  /** The message is handled once, however often it is sent with this key in the session. */
  readonly key?: string | undefined;
}

/** The payload of `$hello`, which precedes every application message. */
export interface Hello {
  readonly connectionId: string;
  readonly sessionId: string;
  readonly userId: string | null;
  /** How often the server pings and how long it waits for a frame; `null` when heartbeats are off. */
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number } | null;
  readonly maxPayloadBytes: number;
  /** How long the token lasts; `null` when it does not expire. Send `$auth` before. */
  readonly expiresInMs: number | null;
  /** Whether everything missed since the last connection of this session has been delivered. */
  readonly recovered: boolean;
}

/** The payload of `$error`. `details` is JSON that the application defines for its own codes. */
export interface WireError<Details = unknown> {
  readonly code: string;
  readonly message: string;
  readonly details?: Details;
  readonly issues?: readonly Issue[];
}

/** The payload of `$request`, which the client replies to with `$reply` or `$error`. */
export interface ServerRequest {
  readonly type: string;
  readonly payload: unknown;
}

export const SUBPROTOCOL = 'realtime.v1';

export const MAX_TYPE_LENGTH = 128;
export const MAX_ID_LENGTH = 128;

/** Whether a message type belongs to the protocol itself: `$…`, `ping` and `pong`. */
export function isReservedType(type: string): boolean {
  return type.charCodeAt(0) === 36 /* $ */ || type === 'ping' || type === 'pong';
}
