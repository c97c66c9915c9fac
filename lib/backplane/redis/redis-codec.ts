import { isUtf8 } from 'node:buffer';
import type { Publication, Recipient } from '../publication.js';
import { LETTERS, readHead, unreadableField, type Unread } from '../publication-fields.js';

const NEWLINE = 10;
const MAX_ORIGIN_LENGTH = 64;
/** Parsing a head blocks the event loop. */
const MAX_HEAD_BYTES = 8 * 1024 * 1024;

/** A publication, the node that sent it, and its number among that node's publications. */
export interface Envelope {
  readonly origin: string;
  readonly sequence: number;
  readonly publication: Publication;
}

// A plain line begins with a letter, a line of JSON with a brace.
const KINDS_BY_LETTER = new Map(
  Object.entries(LETTERS).map(([kind, letter]) => [letter, kind as Recipient['kind']]),
);
const NONE: readonly string[] = [];
// A type or key with one of these cannot be in a plain line.
const SEPARATORS = /[ \n]/;
const PLAIN_LINE = /^[A-Za-z] /;

/**
 * Encodes publications for Redis: the node's id and a growing number, a line about the publication, and the client's
 * frame unchanged. The line is `u type key` for a plain message (`U …` when it is volatile), which nearly all are, and
 * JSON for anything else. FORMAT.md has the whole format and the rule for versions.
 */
export class RedisCodec {
  readonly #origin: Buffer;
  #sequence = 0;

  constructor(private readonly nodeId: string) {
    this.#origin = Buffer.from(`${nodeId} `);
  }

  /** The sequence number of the publication that was encoded last. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Throws a `TypeError` for a publication that other nodes would ignore. */
  encode(publication: Publication): string {
    const plain = publication.kind === 'message' ? toPlainLine(publication) : undefined;
    const line = plain ?? toHead(publication);
    const text = publication.kind === 'message' ? String(publication.text) : '';
    return `${this.nodeId} ${++this.#sequence}\n${line}\n${text}`;
  }

  /** Whether this node published it; decides without decoding the rest. */
  isOwn(message: Buffer): boolean {
    const origin = this.#origin;
    return message.length > origin.length && origin.compare(message, 0, origin.length) === 0;
  }

  /** The sequence number of a publication of this node. */
  ownSequence(message: Buffer): number {
    return Number(message.toString('latin1', this.#origin.length, message.indexOf(NEWLINE)));
  }

  /** The envelope, or why it is ignored: other programs and other versions publish as well. Never throws. */
  decode(message: Buffer): Envelope | Unread {
    const afterOrigin = message.indexOf(NEWLINE) + 1;
    const afterHead = message.indexOf(NEWLINE, afterOrigin) + 1;
    if (afterOrigin === 0 || afterHead === 0 || afterHead > MAX_HEAD_BYTES) return 'unreadable';
    // One string for both lines: decoding bytes costs more than slicing.
    const head = message.toString('utf8', 0, afterHead - 1);
    const end = head.indexOf('\n');
    const space = head.indexOf(' ');
    const sequence = Number(head.slice(space + 1, end));
    if (space < 1 || space > end || space > MAX_ORIGIN_LENGTH) return 'unreadable';
    if (!Number.isSafeInteger(sequence) || sequence < 1) return 'unreadable';
    const line = head.slice(end + 1);
    const text = message.subarray(afterHead);
    const publication = line.startsWith('{') ? readJson(line, text) : readPlain(line, text);
    if (typeof publication === 'string') return publication;
    return { origin: head.slice(0, space), sequence, publication };
  }
}

function toHead(publication: Publication): string {
  const field = unreadableField(publication);
  if (field !== undefined) {
    throw new TypeError(`Expected a "${field}" that other nodes can read, got one of a wrong type or size.`);
  }
  // JSON leaves `undefined` out.
  const head = JSON.stringify(
    publication.kind === 'message' ? { ...publication, text: undefined } : publication,
  );
  if (Buffer.byteLength(head) < MAX_HEAD_BYTES - MAX_ORIGIN_LENGTH * 2) return head;
  throw new TypeError(
    `Expected at most ${MAX_HEAD_BYTES} bytes for other nodes, got ${head.length} characters.`,
  );
}

function toPlainLine(message: Extract<Publication, { kind: 'message' }>): string | undefined {
  const { to, type, except, delivery, sendId, replyTo } = message;
  if (delivery === 'recoverable' || replyTo !== undefined || except.length > 0 || sendId !== undefined)
    return undefined;
  if (SEPARATORS.test(type) || SEPARATORS.test(to.key)) return undefined;
  const letter = LETTERS[to.kind];
  return `${delivery === 'volatile' ? letter.toUpperCase() : letter} ${type} ${to.key}`;
}

function readPlain(line: string, text: Buffer): Publication | Unread {
  const letter = line.charAt(0);
  const kind = KINDS_BY_LETTER.get(letter) ?? KINDS_BY_LETTER.get(letter.toLowerCase());
  if (kind === undefined) return PLAIN_LINE.test(line) ? 'unknown' : 'unreadable';
  const afterType = line.indexOf(' ', 2);
  if (line.charAt(1) !== ' ' || afterType < 0 || !isUtf8(text)) return 'unreadable';
  return {
    kind: 'message',
    to: { kind, key: line.slice(afterType + 1) },
    type: line.slice(2, afterType),
    text,
    except: NONE,
    delivery: KINDS_BY_LETTER.has(letter) ? 'live' : 'volatile',
  };
}

function readJson(line: string, text: Buffer): Publication | Unread {
  let head: unknown;
  try {
    head = JSON.parse(line);
  } catch {
    return 'unreadable';
  }
  const read = readHead(head);
  if (typeof read === 'string' || read.kind !== 'message') return read;
  // A browser closes the socket on a text frame that is not UTF-8.
  return isUtf8(text) ? { ...read, text } : 'unreadable';
}
