import type { Publication, Recipient } from './publication.js';

const NEWLINE = 10;

/** A publication, who said it, and how many that node had said before. */
export interface Envelope {
  readonly origin: string;
  readonly sequence: number;
  readonly publication: Publication;
}

/** The first letter of a line about a plain message; a line of JSON begins with a brace. */
const KINDS: Readonly<Record<Recipient['kind'], string>> = {
  all: 'a',
  user: 'u',
  room: 'r',
  session: 's',
  connection: 'c',
};
const KINDS_BY_LETTER = new Map(
  Object.entries(KINDS).map(([kind, letter]) => [letter, kind as Recipient['kind']]),
);
const NOBODY: readonly string[] = [];
// No type or key that holds one of them is put into a plain line.
const SEPARATORS = /[ \n]/;

/**
 * What stands between nodes: the origin's id and a number that grows, a line about the message, and the client's frame
 * as it is. The line is `u type key` for a message with nothing special about it (`U …` when it is volatile), since
 * nearly all are, and JSON for anything else.
 */
export class RedisCodec {
  readonly #origin: Buffer;
  #sequence = 0;

  constructor(private readonly nodeId: string) {
    this.#origin = Buffer.from(`${nodeId} `);
  }

  encode(publication: Publication): string {
    const origin = `${this.nodeId} ${++this.#sequence}`;
    if (publication.kind !== 'message') return `${origin}\n${JSON.stringify(publication)}\n`;
    const plain = plainLineOf(publication);
    if (plain !== undefined) return `${origin}\n${plain}\n${String(publication.text)}`;
    const { text, ...head } = publication;
    return `${origin}\n${JSON.stringify(head)}\n${String(text)}`;
  }

  /** Whether this node said it itself; found out without reading the rest. */
  isOwn(message: Buffer): boolean {
    const origin = this.#origin;
    return message.length > origin.length && origin.compare(message, 0, origin.length) === 0;
  }

  /** The envelope, or `undefined` for what is none: Redis is shared, and versions are mixed during a deploy. */
  decode(message: Buffer): Envelope | undefined {
    const afterOrigin = message.indexOf(NEWLINE) + 1;
    const afterHead = message.indexOf(NEWLINE, afterOrigin) + 1;
    if (afterOrigin === 0 || afterHead === 0) return undefined;
    // Both lines as one text: to make a text of bytes costs more than to cut it up.
    const head = message.toString('utf8', 0, afterHead - 1);
    const end = head.indexOf('\n');
    const space = head.indexOf(' ');
    const sequence = Number(head.slice(space + 1, end));
    if (space < 0 || space > end || !Number.isSafeInteger(sequence)) return undefined;
    const line = head.slice(end + 1);
    const publication = line.startsWith('{')
      ? readJson(line, message, afterHead)
      : readPlain(line, message.subarray(afterHead));
    return publication && { origin: head.slice(0, space), sequence, publication };
  }
}

function plainLineOf(message: Extract<Publication, { kind: 'message' }>): string | undefined {
  const { to, type, except, volatile, replyTo } = message;
  if (replyTo !== undefined || except.length > 0 || to.unless.length > 0) return undefined;
  if (SEPARATORS.test(type) || SEPARATORS.test(to.key)) return undefined;
  const letter = KINDS[to.kind];
  return `${volatile ? letter.toUpperCase() : letter} ${type} ${to.key}`;
}

function readPlain(line: string, text: Buffer): Publication | undefined {
  const letter = line.charAt(0);
  const kind = KINDS_BY_LETTER.get(letter) ?? KINDS_BY_LETTER.get(letter.toLowerCase());
  const afterType = line.indexOf(' ', 2);
  if (kind === undefined || afterType < 0) return undefined;
  return {
    kind: 'message',
    to: { kind, key: line.slice(afterType + 1), unless: NOBODY },
    type: line.slice(2, afterType),
    text,
    except: NOBODY,
    volatile: !KINDS_BY_LETTER.has(letter),
  };
}

function readJson(line: string, message: Buffer, afterHead: number): Publication | undefined {
  let head: unknown;
  try {
    head = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isPublication(head)) return undefined;
  return head.kind === 'message' ? { ...head, text: message.subarray(afterHead) } : head;
}

function isPublication(head: unknown): head is Publication {
  if (typeof head !== 'object' || head === null) return false;
  const { kind, to, id, type, except } = head as Record<string, unknown>;
  if (kind === 'reply') return typeof id === 'string';
  if (kind === 'message') return isRecipient(to) && typeof type === 'string' && Array.isArray(except);
  return typeof kind === 'string' && isRecipient(to);
}

function isRecipient(to: unknown): boolean {
  if (typeof to !== 'object' || to === null) return false;
  const { kind, key, unless } = to as Record<string, unknown>;
  return typeof kind === 'string' && typeof key === 'string' && Array.isArray(unless);
}
