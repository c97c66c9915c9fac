import { isUtf8 } from 'node:buffer';
import type { Publication, Recipient } from '../publication.js';
import { LETTERS, readHead, unreadableField, type Unread } from '../publication-fields.js';

const NEWLINE = 10;
const MAX_ORIGIN_LENGTH = 64;
/** A head is parsed in one go, which blocks the node for as long as it takes. */
const MAX_HEAD_BYTES = 8 * 1024 * 1024;

/** A publication, who said it, and how many that node had said before. */
export interface Envelope {
  readonly origin: string;
  readonly sequence: number;
  readonly publication: Publication;
}

// The first letter of a line about a plain message; a line of JSON begins with a brace.
const KINDS_BY_LETTER = new Map(
  Object.entries(LETTERS).map(([kind, letter]) => [letter, kind as Recipient['kind']]),
);
const NOBODY: readonly string[] = [];
// No type or key that holds one of them is put into a plain line.
const SEPARATORS = /[ \n]/;
const PLAIN_LINE = /^[A-Za-z] /;

/**
 * What stands between nodes: the origin's id and a number that grows, a line about the message, and the client's frame
 * as it is. The line is `u type key` for a message with nothing special about it (`U …` when it is volatile), since
 * nearly all are, and JSON for anything else. FORMAT.md is the full text, and the rule for versions.
 */
export class RedisCodec {
  readonly #origin: Buffer;
  #sequence = 0;

  constructor(private readonly nodeId: string) {
    this.#origin = Buffer.from(`${nodeId} `);
  }

  /** Throws a `TypeError` for a publication that the other nodes would not read. */
  encode(publication: Publication): string {
    const plain = publication.kind === 'message' ? plainLineOf(publication) : undefined;
    const line = plain ?? headOf(publication);
    const text = publication.kind === 'message' ? String(publication.text) : '';
    return `${this.nodeId} ${++this.#sequence}\n${line}\n${text}`;
  }

  /** Whether this node said it itself; found out without reading the rest. */
  isOwn(message: Buffer): boolean {
    const origin = this.#origin;
    return message.length > origin.length && origin.compare(message, 0, origin.length) === 0;
  }

  /** The envelope, or why there is none: Redis is shared, and versions are mixed during a deploy. Never throws. */
  decode(message: Buffer): Envelope | Unread {
    const afterOrigin = message.indexOf(NEWLINE) + 1;
    const afterHead = message.indexOf(NEWLINE, afterOrigin) + 1;
    if (afterOrigin === 0 || afterHead === 0 || afterHead > MAX_HEAD_BYTES) return 'unreadable';
    // Both lines as one text: to make a text of bytes costs more than to cut it up.
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

function headOf(publication: Publication): string {
  const field = unreadableField(publication);
  if (field !== undefined) {
    throw new TypeError(`Expected a "${field}" that other nodes can read, got one of a wrong type or size.`);
  }
  // `undefined` is left out.
  const head = JSON.stringify(
    publication.kind === 'message' ? { ...publication, text: undefined } : publication,
  );
  if (Buffer.byteLength(head) < MAX_HEAD_BYTES - MAX_ORIGIN_LENGTH * 2) return head;
  throw new TypeError(
    `Expected at most ${MAX_HEAD_BYTES} bytes for other nodes, got ${head.length} characters.`,
  );
}

function plainLineOf(message: Extract<Publication, { kind: 'message' }>): string | undefined {
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
    except: NOBODY,
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
  // A browser closes the socket on a text frame that is no UTF-8.
  return isUtf8(text) ? { ...read, text } : 'unreadable';
}
