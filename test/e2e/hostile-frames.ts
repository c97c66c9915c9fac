import { randomBytes } from 'node:crypto';

/** A text in every hostile frame that can hold one; the server must never send it back. */
export const SECRET = 's3cret-of-the-client';

/** The server's reaction to a frame. */
export interface Expected {
  /** The code of the one `$error`; absent if the frame is valid or handled by the WebSocket protocol. */
  readonly code?: string;
  /** The id in the `$error`. */
  readonly id?: string | number;
  /** The close code. */
  readonly close?: number;
}

export interface HostileFrame extends Expected {
  readonly name: string;
  /** A text frame, a binary one, or the raw bytes of whole WebSocket frames. */
  readonly text?: string;
  readonly binary?: Buffer;
  readonly raw?: Buffer;
}

/** A client frame as in RFC 6455 §5.2, in which every field can be made invalid. */
export function rawFrame(first: number, payload: Buffer, { masked = true } = {}): Buffer {
  const length =
    payload.length < 126
      ? Buffer.from([payload.length])
      : Buffer.from([126, payload.length >> 8, payload.length & 0xff]);
  length[0] = (length[0] as number) | (masked ? 0x80 : 0);
  if (!masked) return Buffer.concat([Buffer.from([first]), length, payload]);
  const mask = randomBytes(4);
  const bytes = payload.map((byte, index) => byte ^ (mask[index % 4] as number));
  return Buffer.concat([Buffer.from([first]), length, mask, bytes]);
}

const PARSE_ERROR = 'PARSE_ERROR';
const VALIDATION_FAILED = 'VALIDATION_FAILED';
const UNKNOWN_TYPE = 'UNKNOWN_TYPE';

const good = { tableId: SECRET, partySize: 2 };
const message = (fields: object) => JSON.stringify({ type: 'table:reserve', payload: good, ...fields });
const withPayload = (payload: unknown) => message({ id: 7, payload });
const withId = (id: string) =>
  `{"type":"table:reserve","id":${id},"payload":{"tableId":"${SECRET}","partySize":2}}`;
const nested = (depth: number, inner = '1') => `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`;
const manyKeys = () => Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`k${n}`, 1]));
const text = (value: string) => Buffer.from(value);

export const HOSTILE_FRAMES: readonly HostileFrame[] = [
  // Not JSON
  {
    name: 'a truncated object',
    text: `{"type":"table:reserve","id":7,"payload":{"tableId":"${SECRET}`,
    code: PARSE_ERROR,
  },
  { name: 'an empty frame', text: '', code: PARSE_ERROR },
  { name: 'white space', text: ' \t\r\n ', code: PARSE_ERROR },
  { name: 'a byte order mark before a good message', text: `\uFEFF${message({ id: 7 })}`, code: PARSE_ERROR },
  { name: 'NaN', text: 'NaN', code: PARSE_ERROR },
  {
    name: 'NaN inside a payload',
    text: '{"type":"table:reserve","id":7,"payload":{"partySize":NaN}}',
    code: PARSE_ERROR,
  },
  { name: 'undefined', text: 'undefined', code: PARSE_ERROR },
  { name: 'single quotes', text: `{'type':'${SECRET}'}`, code: PARSE_ERROR },
  { name: 'two messages in one frame', text: message({ id: 7 }).repeat(2), code: PARSE_ERROR },
  { name: 'a NUL inside a string', text: `{"type":"table:reserve\u0000${SECRET}"}`, code: PARSE_ERROR },
  // JSON, but not a message
  { name: 'null', text: 'null', code: PARSE_ERROR },
  { name: 'a number', text: '42', code: PARSE_ERROR },
  { name: 'a string', text: `"${SECRET}"`, code: PARSE_ERROR },
  { name: 'an array of messages', text: `[${message({ id: 7 })}]`, code: PARSE_ERROR },
  { name: 'an empty object', text: '{}', code: PARSE_ERROR },
  { name: 'no type', text: JSON.stringify({ id: 7, payload: good }), code: PARSE_ERROR, id: 7 },
  { name: 'an empty type', text: message({ id: 7, type: '' }), code: PARSE_ERROR, id: 7 },
  { name: 'a number as type', text: message({ id: 7, type: 4 }), code: PARSE_ERROR, id: 7 },
  { name: 'null as type', text: message({ id: 7, type: null }), code: PARSE_ERROR, id: 7 },
  {
    name: 'an object as type',
    text: message({ id: 7, type: { toString: SECRET } }),
    code: PARSE_ERROR,
    id: 7,
  },
  { name: 'an array as type', text: message({ id: 7, type: ['table:reserve'] }), code: PARSE_ERROR, id: 7 },
  { name: 'a huge type', text: message({ id: 7, type: SECRET.repeat(500) }), code: PARSE_ERROR, id: 7 },
  // Keys and depth
  {
    name: '__proto__ at the root',
    text: '{"type":"table:reserve","id":7,"__proto__":{"payload":{}}}',
    code: PARSE_ERROR,
    id: 7,
  },
  {
    name: '__proto__ in the payload',
    text: '{"type":"table:reserve","id":7,"payload":{"__proto__":{"tableId":"t"}}}',
    code: PARSE_ERROR,
    id: 7,
  },
  {
    name: '__proto__ written with escapes',
    text: '{"type":"table:reserve","id":7,"payload":{"\\u005f_proto_\\u005f":{"isAdmin":true}}}',
    code: PARSE_ERROR,
    id: 7,
  },
  {
    name: '__proto__ inside an array',
    text: '{"type":"table:reserve","id":7,"payload":[[{"__proto__":1}]]}',
    code: PARSE_ERROR,
    id: 7,
  },
  {
    name: 'constructor in the payload',
    text: withPayload({ ...good, constructor: { prototype: { isAdmin: true } } }),
    code: PARSE_ERROR,
    id: 7,
  },
  {
    name: 'nesting of 10,000',
    text: `{"type":"table:reserve","id":7,"payload":${nested(10_000)}}`,
    code: PARSE_ERROR,
    id: 7,
  },
  {
    name: 'nesting of 10,000 that never ends',
    text: `{"type":"table:reserve","id":7,"payload":${'['.repeat(10_000)}`,
    code: PARSE_ERROR,
  },
  {
    name: 'nesting outside the payload',
    text: `{"type":"table:reserve","id":7,"other":${nested(40)}}`,
    code: PARSE_ERROR,
    id: 7,
  },
  { name: 'too many keys', text: withPayload(manyKeys()), code: PARSE_ERROR, id: 7 },
  {
    name: 'duplicate keys, of which the last counts',
    text: `{"type":"table:reserve","id":7,"payload":{"tableId":"${SECRET}","partySize":2,"partySize":"x"}}`,
    code: VALIDATION_FAILED,
    id: 7,
  },
  {
    name: 'duplicate types, of which the last counts',
    text: `{"type":"table:reserve","id":7,"type":"${SECRET}"}`,
    code: UNKNOWN_TYPE,
    id: 7,
  },
  {
    name: 'a lone surrogate in a value',
    text: `{"type":"table:reserve","id":7,"payload":{"tableId":"\\ud800${SECRET}","partySize":2}}`,
    code: PARSE_ERROR,
    id: 7,
  },
  {
    name: 'a lone surrogate in a key',
    text: '{"type":"table:reserve","id":7,"payload":{"\\udc00":1}}',
    code: PARSE_ERROR,
    id: 7,
  },
  { name: 'a lone surrogate in the type', text: '{"type":"\\ud800","id":7}', code: PARSE_ERROR, id: 7 },
  { name: 'a lone surrogate in the id', text: withId('"\\ud800"'), code: PARSE_ERROR },
  // Payloads
  { name: 'no payload', text: '{"type":"table:reserve","id":7}', code: VALIDATION_FAILED, id: 7 },
  { name: 'null as payload', text: withPayload(null), code: VALIDATION_FAILED, id: 7 },
  { name: 'a string as payload', text: withPayload(SECRET), code: VALIDATION_FAILED, id: 7 },
  { name: 'an array as payload', text: withPayload([good]), code: VALIDATION_FAILED, id: 7 },
  {
    name: 'properties of the wrong kind',
    text: withPayload({ tableId: 7, partySize: SECRET }),
    code: VALIDATION_FAILED,
    id: 7,
  },
  {
    name: 'a number out of range',
    text: withPayload({ ...good, partySize: 1e308 }),
    code: VALIDATION_FAILED,
    id: 7,
  },
  {
    name: 'a number that JSON makes infinite',
    text: withPayload(good).replace(':2}', ':1e999}'),
    code: VALIDATION_FAILED,
    id: 7,
  },
  {
    name: 'methods in place of values',
    text: withPayload({ tableId: { toString: SECRET, valueOf: 1, then: 2 }, partySize: { length: 4 } }),
    code: VALIDATION_FAILED,
    id: 7,
  },
  // Types
  { name: 'an unknown type', text: message({ id: 7, type: `no:${SECRET}` }), code: UNKNOWN_TYPE, id: 7 },
  { name: 'toString as type', text: message({ id: 7, type: 'toString' }), code: UNKNOWN_TYPE, id: 7 },
  { name: '__proto__ as type', text: message({ id: 7, type: '__proto__' }), code: UNKNOWN_TYPE, id: 7 },
  {
    name: 'the type of a server message',
    text: message({ id: 7, type: 'table:status_changed' }),
    code: UNKNOWN_TYPE,
    id: 7,
  },
  { name: '$hello from the client', text: message({ id: 7, type: '$hello' }), code: UNKNOWN_TYPE, id: 7 },
  { name: '$goaway from the client', text: message({ id: 7, type: '$goaway' }), code: UNKNOWN_TYPE, id: 7 },
  { name: '$next from the client', text: message({ id: 7, type: '$next' }), code: UNKNOWN_TYPE, id: 7 },
  {
    name: 'a $type that does not exist',
    text: message({ id: 7, type: `$${SECRET}` }),
    code: UNKNOWN_TYPE,
    id: 7,
  },
  { name: 'pong from the client', text: message({ id: 7, type: 'pong' }), code: UNKNOWN_TYPE, id: 7 },
  { name: '$reply to no request', text: message({ id: 's1', type: '$reply' }) },
  { name: '$error to no request', text: message({ id: 's1', type: '$error' }) },
  { name: '$cancel of no stream', text: message({ id: 7, type: '$cancel' }) },
  {
    name: '$auth of an anonymous app',
    text: message({ id: 7, type: '$auth', payload: { token: SECRET } }),
    code: 'BAD_REQUEST',
    id: 7,
  },
  // Ids
  { name: 'the id 1e999', text: withId('1e999'), code: PARSE_ERROR },
  { name: 'an empty id', text: withId('""'), code: PARSE_ERROR },
  { name: 'a long id', text: withId(JSON.stringify(SECRET.repeat(10))), code: PARSE_ERROR },
  { name: 'the id true', text: withId('true'), code: PARSE_ERROR },
  { name: 'the id []', text: withId('[]'), code: PARSE_ERROR },
  { name: 'the id {}', text: withId(`{"id":"${SECRET}"}`), code: PARSE_ERROR },
  { name: 'the id [7]', text: withId('[7]'), code: PARSE_ERROR },
  // Frames
  { name: 'a binary frame', binary: text(message({ id: 7 })), code: PARSE_ERROR },
  { name: 'an empty binary frame', binary: Buffer.alloc(0), code: PARSE_ERROR },
  { name: '10 MB of text', text: 'x'.repeat(10_000_000), close: 1009 },
  { name: 'a little more than maxPayloadBytes', text: JSON.stringify(SECRET.repeat(3_300)), close: 1009 },
  { name: 'invalid UTF-8', raw: rawFrame(0x81, Buffer.from([0x22, 0xc3, 0x28, 0x22])), close: 1007 },
  { name: 'an unmasked frame', raw: rawFrame(0x81, text('{}'), { masked: false }), close: 1002 },
  { name: 'a reserved opcode', raw: rawFrame(0x83, text(SECRET)), close: 1002 },
  { name: 'a reserved control opcode', raw: rawFrame(0x8b, text(SECRET)), close: 1002 },
  { name: 'a reserved bit', raw: rawFrame(0xc1, text('{}')), close: 1002 },
  { name: 'an oversized control frame', raw: rawFrame(0x89, Buffer.alloc(126)), close: 1002 },
  { name: 'a fragmented control frame', raw: rawFrame(0x09, text('ping')), close: 1002 },
  { name: 'a continuation of nothing', raw: rawFrame(0x80, text('{}')), close: 1002 },
  {
    name: 'a new message inside a fragmented one',
    raw: Buffer.concat([rawFrame(0x01, text('{')), rawFrame(0x81, text('{}'))]),
    close: 1002,
  },
  {
    name: 'a close frame with a forbidden code',
    raw: rawFrame(0x88, Buffer.from([0x03, 0xed])),
    close: 1002,
  },
  {
    name: 'a bad message in fragments, with a ping between',
    raw: Buffer.concat([
      rawFrame(0x01, text(`{"type":"${SECRET}`)),
      rawFrame(0x89, text('?')),
      rawFrame(0x80, text('","id":7}')),
    ]),
    code: UNKNOWN_TYPE,
    id: 7,
  },
];
