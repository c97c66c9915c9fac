import { isSendableCloseCode } from '../protocol/close-codes.js';
import { isDelivery } from '../protocol/delivery.js';
import { isWireErrorCode } from '../protocol/error-codes.js';
import type { Publication, Recipient } from './publication.js';

type Kind = Publication['kind'];
type OfKind<K extends Kind, P = Publication> = P extends { readonly kind: infer Kinds }
  ? K extends Kinds
    ? P
    : never
  : never;
type Check = (value: unknown) => boolean;
/** A check for each field of a kind; `text` follows the head and is not among them. */
type Fields<K extends Kind> = { readonly [Name in Exclude<keyof OfKind<K>, 'kind' | 'text'>]-?: Check };

/** Why a publication is ignored; `unknown` kinds are those of another version. */
export type Unread = 'unreadable' | 'unknown';

/** Lists with more ids than this are refused on both sides. */
export const MAX_NAMES = 10_000;
const MAX_NAME_LENGTH = 65_536;
const MAX_ROOM_LENGTH = 256;
const MAX_ID_LENGTH = 64;
const MAX_REASON_BYTES = 123;
const MAX_ERROR_LENGTH = 4_096;
const MAX_TIMER_MS = 2_147_483_647;

/** The letter of each kind of recipient in the short form of a message. */
export const LETTERS: Readonly<Record<Recipient['kind'], string>> = {
  all: 'a',
  user: 'u',
  room: 'r',
  session: 's',
  connection: 'c',
};

const to: Check = (value) => isObject(value) && isRecipientKind(value.kind) && isName(value.key);
const replyTo: Check = (value) => isObject(value) && isId(value.node) && isId(value.id);
const maybeReplyTo: Check = (value) => value === undefined || replyTo(value);

const FIELDS: { readonly [K in Kind]: Fields<K> } = {
  message: {
    to,
    type: isName,
    except: isNames,
    delivery: isDelivery,
    sendId: isMaybeId,
    replyTo: maybeReplyTo,
  },
  disconnect: { to, code: isCloseCode, reason: isCloseReason, replyTo: maybeReplyTo },
  join: { to, room: isRoom, replyTo: maybeReplyTo },
  leave: { to, room: isRoom, replyTo: maybeReplyTo },
  request: { to, type: isName, payload: isPresent, timeoutMs: isDelay, replyTo },
  reply: { id: isId, node: isId, delivered: isCount, dropped: isCount, answer: isAnswer },
};

/** A publication without its text, with its known fields only, or why it is ignored. */
export function readHead(head: unknown): Publication | Unread {
  if (!isObject(head) || typeof head.kind !== 'string') return 'unreadable';
  if (!Object.hasOwn(FIELDS, head.kind)) return 'unknown';
  const recipient = head.to;
  if (isObject(recipient) && typeof recipient.kind === 'string' && !isRecipientKind(recipient.kind)) {
    return 'unknown';
  }
  const read: Record<string, unknown> = { kind: head.kind };
  for (const [name, check] of Object.entries(FIELDS[head.kind as Kind])) {
    const value = Object.hasOwn(head, name) ? head[name] : undefined;
    if (!check(value)) return 'unreadable';
    if (value !== undefined) read[name] = value;
  }
  return read as unknown as Publication;
}

/** The first field that other nodes could not read. */
export function unreadableField(publication: Publication): string | undefined {
  const fields = Object.entries(FIELDS[publication.kind]);
  return fields.find(
    ([name, check]) => !check((publication as unknown as Record<string, unknown>)[name]),
  )?.[0];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRecipientKind(value: unknown): boolean {
  return typeof value === 'string' && Object.hasOwn(LETTERS, value);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_NAME_LENGTH;
}

function isRoom(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ROOM_LENGTH;
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.length <= MAX_NAMES && value.every(isName);
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ID_LENGTH;
}

function isMaybeId(value: unknown): boolean {
  return value === undefined || isId(value);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isPresent(value: unknown): boolean {
  return value !== undefined;
}

/** A delay that a Node timer can hold; a longer one would fire at once. */
function isDelay(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= MAX_TIMER_MS;
}

function isCloseCode(value: unknown): boolean {
  return typeof value === 'number' && isSendableCloseCode(value);
}

function isCloseReason(value: unknown): boolean {
  return typeof value === 'string' && Buffer.byteLength(value) <= MAX_REASON_BYTES;
}

function isAnswer(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isObject(value)) return false;
  // A payload of `undefined` is not in the JSON.
  if (value.ok === true) return true;
  const { ok, code, message } = value;
  if (ok !== false || typeof code !== 'string' || typeof message !== 'string') return false;
  return isWireErrorCode(code) && message.length <= MAX_ERROR_LENGTH;
}
