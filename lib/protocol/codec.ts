import {
  MAX_ID_LENGTH,
  MAX_TYPE_LENGTH,
  type ClientFrame,
  type MessageId,
  type WireError,
} from './envelope.js';
import { payloadJson } from './payload-json.js';

/** How deep and how wide the JSON of one frame may be. */
export interface JsonLimits {
  readonly maxDepth: number;
  readonly maxKeys: number;
}

/** Why a frame is no valid message; `id` is its id if that could be read. */
export class FrameRefusal {
  constructor(
    readonly message: string,
    readonly id?: MessageId | undefined,
  ) {}
}

/** Parses one text frame of a client and checks its depth, width and keys. */
export function decodeFrame(text: string, limits: JsonLimits): ClientFrame | FrameRefusal {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new FrameRefusal('the frame is not valid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new FrameRefusal('a message is a JSON object');
  }
  const { type, payload, id, key } = value as Record<string, unknown>;
  const replyTo = isMessageId(id) ? id : undefined;
  const inspection = new Inspection(limits, text.includes('\\u'));
  const fault = inspection.visit(value, 1);
  if (fault !== undefined) return new FrameRefusal(fault, replyTo);
  if (id !== undefined && id !== null && replyTo === undefined) {
    return new FrameRefusal(`the id must be a finite number or a string of 1 to ${MAX_ID_LENGTH} characters`);
  }
  if (typeof type !== 'string' || type.length === 0 || type.length > MAX_TYPE_LENGTH) {
    return new FrameRefusal(`the type must be a string of 1 to ${MAX_TYPE_LENGTH} characters`, replyTo);
  }
  if (key !== undefined && key !== null && !isShortText(key)) {
    return new FrameRefusal(`the key must be a string of 1 to ${MAX_ID_LENGTH} characters`, replyTo);
  }
  return { type, payload, id: replyTo, key: key ?? undefined };
}

function isMessageId(id: unknown): id is MessageId {
  return typeof id === 'number' ? Number.isFinite(id) : isShortText(id);
}

function isShortText(id: unknown): id is string {
  return typeof id === 'string' && id.length > 0 && id.length <= MAX_ID_LENGTH && isWellFormed(id);
}

function isWellFormed(text: string): boolean {
  // ES2024; every Node and browser this library runs on has it, TypeScript's ES2023 does not know it.
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/**
 * True for a key that leads an unsafe merge to a prototype: `__proto__`, and `constructor` where its value holds a
 * `prototype` of its own. A plain `constructor` is data.
 */
export function isPollutingKey(key: string, value: unknown): boolean {
  if (key === '__proto__') return true;
  return (
    key === 'constructor' && typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
  );
}

/** One walk over a parsed frame. Only JSON escapes (`\u`) can carry a lone surrogate in UTF-8. */
class Inspection {
  #keys = 0;

  constructor(
    private readonly limits: JsonLimits,
    private readonly mayHoldSurrogates: boolean,
  ) {}

  visit(value: unknown, depth: number): string | undefined {
    if (typeof value !== 'object' || value === null) {
      return this.mayHoldSurrogates && typeof value === 'string' ? this.#text(value) : undefined;
    }
    if (depth > this.limits.maxDepth) return `the JSON is nested deeper than ${this.limits.maxDepth}`;
    return Array.isArray(value) ? this.#array(value, depth) : this.#object(value, depth);
  }

  #array(value: readonly unknown[], depth: number): string | undefined {
    for (const item of value) {
      const fault = this.#isHarmless(item) ? undefined : this.visit(item, depth + 1);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #object(value: object, depth: number): string | undefined {
    for (const key in value) {
      if (++this.#keys > this.limits.maxKeys) return `the JSON has more than ${this.limits.maxKeys} keys`;
      const item = (value as Record<string, unknown>)[key];
      if (isPollutingKey(key, item)) {
        return 'the key "__proto__" is not allowed, nor is "constructor" with a "prototype"';
      }
      if (this.#isHarmless(item)) continue;
      const fault = (this.mayHoldSurrogates ? this.#text(key) : undefined) ?? this.visit(item, depth + 1);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  /** Most values: they need no visit. */
  #isHarmless(item: unknown): boolean {
    return !this.mayHoldSurrogates && typeof item !== 'object';
  }

  #text(text: string): string | undefined {
    // RFC 7493 §2.1: such text cannot be stored or sent on as UTF-8.
    return isWellFormed(text) ? undefined : 'text must not hold lone surrogates';
  }
}

/** The text of `{ type, payload }`; throws a TypeError when the payload is no JSON. */
export function encodeMessage(type: string, payload: unknown): string {
  return `{"type":${textJson(type)},"payload":${encodePayload(payload, 'the payload of', type)}}`;
}

/** An encoded message, as text or as UTF-8, with its channel and position added. */
export function withChannel(message: string | Buffer, channel: string, position?: string): string | Buffer {
  const positionJson = position === undefined ? '' : `,"position":${JSON.stringify(position)}`;
  const end = `,"channel":${JSON.stringify(channel)}${positionJson}}`;
  if (typeof message === 'string') return message.slice(0, -1) + end;
  return Buffer.concat([message.subarray(0, -1), Buffer.from(end)]);
}

/** The text of the reply to the message with this id. */
export function encodeReply(id: MessageId, payload: unknown, type = ''): string {
  return encodeWithId('$reply', id, encodePayload(payload, 'the reply to', type));
}

/** The text of `$error`, with the id of the refused message if it has one. */
export function encodeError(id: MessageId | undefined, error: WireError): string {
  const payload = JSON.stringify(error);
  return id === undefined ? `{"type":"$error","payload":${payload}}` : encodeWithId('$error', id, payload);
}

/** The text of one item of a streamed reply. */
export function encodeNext(id: MessageId, payload: unknown): string {
  return encodeWithId('$next', id, encodePayload(payload, 'each item of the reply'));
}

/** The text that ends a streamed reply. */
export function encodeComplete(id: MessageId): string {
  return `{"type":"$complete","id":${JSON.stringify(id)}}`;
}

/** The text of a request to a client. */
export function encodeRequest(id: string, type: string, payload: unknown): string {
  return encodeWithId('$request', id, encodeMessage(type, payload));
}

/** The text of the reply to `ping`. */
export function encodePong(id: MessageId | undefined): string {
  return id === undefined ? '{"type":"pong"}' : `{"type":"pong","id":${JSON.stringify(id)}}`;
}

/** The text of a reply whose payload is JSON already. */
export function encodeWithId(type: string, id: MessageId, payload: string): string {
  return `{"type":"${type}","id":${typeof id === 'number' ? id : textJson(id)},"payload":${payload}}`;
}

/** The JSON of a payload, `null` for none; an error names the payload as `what` and the type of its message. */
export function encodePayload(payload: unknown, what: string, type?: string): string {
  return payload === undefined ? 'null' : payloadJson(payload, what, type);
}

const NEEDS_NO_ESCAPE = /^[\w:./-]*$/;

// The types and ids of most messages: for short texts the test costs half of JSON.stringify.
function textJson(text: string): string {
  return NEEDS_NO_ESCAPE.test(text) ? `"${text}"` : JSON.stringify(text);
}
