import type { Publication } from './publication.js';

const NEWLINE = 10;

/** What stands between nodes: the origin's id, a line of JSON about the message, and the client's frame as it is. */
export class RedisCodec {
  readonly #origin: Buffer;

  constructor(private readonly nodeId: string) {
    this.#origin = Buffer.from(`${nodeId}\n`);
  }

  encode(publication: Publication): string {
    if (publication.kind !== 'message') return `${this.nodeId}\n${JSON.stringify(publication)}\n`;
    const { text, ...head } = publication;
    return `${this.nodeId}\n${JSON.stringify(head)}\n${String(text)}`;
  }

  /** Whether this node said it itself; found out without reading the rest. */
  isOwn(message: Buffer): boolean {
    const origin = this.#origin;
    return message.length > origin.length && origin.compare(message, 0, origin.length) === 0;
  }

  /** The publication, or `undefined` for what is not one: Redis is shared, and versions are mixed during a deploy. */
  decode(message: Buffer): Publication | undefined {
    const afterOrigin = message.indexOf(NEWLINE) + 1;
    const afterHead = message.indexOf(NEWLINE, afterOrigin) + 1;
    if (afterOrigin === 0 || afterHead === 0) return undefined;
    let head: unknown;
    try {
      head = JSON.parse(message.toString('utf8', afterOrigin, afterHead - 1));
    } catch {
      return undefined;
    }
    if (!isPublication(head)) return undefined;
    return head.kind === 'message' ? { ...head, text: message.subarray(afterHead) } : head;
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
