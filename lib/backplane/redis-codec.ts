import type { Publication } from './publication.js';

const NEWLINE = 10;

/** A publication, who said it, and how many that node had said before. */
export interface Envelope {
  readonly origin: string;
  readonly sequence: number;
  readonly publication: Publication;
}

/**
 * What stands between nodes: the origin's id and a number that grows, a line of JSON about the message, and the
 * client's frame as it is.
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
    const [origin = '', number] = message.toString('latin1', 0, afterOrigin - 1).split(' ');
    const sequence = Number(number);
    if (!Number.isSafeInteger(sequence)) return undefined;
    let head: unknown;
    try {
      head = JSON.parse(message.toString('utf8', afterOrigin, afterHead - 1));
    } catch {
      return undefined;
    }
    if (!isPublication(head)) return undefined;
    const publication = head.kind === 'message' ? { ...head, text: message.subarray(afterHead) } : head;
    return { origin, sequence, publication };
  }
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
