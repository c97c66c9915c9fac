import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Publication, Recipient } from '../../lib/backplane/publication.js';
import { RedisCodec } from '../../lib/backplane/redis-codec.js';

type Message = Extract<Publication, { kind: 'message' }>;

const kinds: Recipient['kind'][] = ['all', 'user', 'room', 'session', 'connection'];

/** What another node makes of it. */
function carried(publication: Publication): Publication | undefined {
  const encoded = Buffer.from(new RedisCodec('one').encode(publication));
  const decoded = new RedisCodec('other').decode(encoded)?.publication;
  return decoded?.kind === 'message' ? { ...decoded, text: String(decoded.text) } : decoded;
}

describe('RedisCodec', () => {
  it('carries every message as it is, plain or with something special about it', () => {
    const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('a b', 'a\nb', '{"', ' ', ''));
    const names = fc.oneof(fc.constant([]), fc.array(text, { maxLength: 3 }));
    const message = fc.record<Message>({
      kind: fc.constant('message'),
      to: fc.record({ kind: fc.constantFrom(...kinds), key: text, unless: names }),
      type: text,
      text,
      except: names,
      volatile: fc.boolean(),
    });
    fc.assert(
      fc.property(message, (given) => {
        expect(carried(given)).toEqual(given);
      }),
    );
  });

  it('spends a short line on a message with nothing special about it', () => {
    const to = { kind: 'user', key: 'ada', unless: [] } as const;
    const message: Message = { kind: 'message', to, type: 'x:y', text: '{}', except: [], volatile: false };
    expect(new RedisCodec('one').encode(message)).toBe('one 1\nu x:y ada\n{}');
    expect(new RedisCodec('one').encode({ ...message, volatile: true })).toBe('one 1\nU x:y ada\n{}');
  });

  it.each([
    'one 1\n\n{}',
    'one 1\nz a b\n{}',
    'one 1\nu a\n{}',
    'one x\nu a b\n{}',
    'one\nu a b\n{}',
    'one 1\nu a b',
  ])('reads nothing from %j', (text) => {
    expect(new RedisCodec('other').decode(Buffer.from(text))).toBeUndefined();
  });
});
