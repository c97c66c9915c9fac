import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Publication, Recipient } from '../../lib/backplane/publication.js';
import { MAX_NAMES } from '../../lib/backplane/publication-fields.js';
import type { Delivery } from '../../lib/protocol/delivery.js';
import { RedisCodec } from '../../lib/backplane/redis/redis-codec.js';
import { RECORDED_0_1_0 } from './recorded-publications.js';

type Message = Extract<Publication, { kind: 'message' }>;

const kinds: Recipient['kind'][] = ['all', 'user', 'room', 'session', 'connection'];
const DELIVERIES: Delivery[] = ['volatile', 'live', 'recoverable'];

/** What another node makes of it. */
function carried(publication: Publication): Publication | undefined {
  const encoded = Buffer.from(new RedisCodec('one').encode(publication));
  const envelope = new RedisCodec('other').decode(encoded);
  const decoded = typeof envelope === 'string' ? undefined : envelope.publication;
  return decoded?.kind === 'message' ? { ...decoded, text: String(decoded.text) } : decoded;
}

const plain = {
  ...{ kind: 'message', type: 't', except: [], delivery: 'live' },
  to: { kind: 'user', key: 'ada' },
} as const;

function read(head: object) {
  return new RedisCodec('other').decode(Buffer.from(`one 1\n${JSON.stringify(head)}\n`));
}

describe('RedisCodec', () => {
  it('carries every message as it is, plain or with something special about it', () => {
    const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('a b', 'a\nb', '{"', ' ', ''));
    const names = fc.oneof(fc.constant([]), fc.array(text, { maxLength: 3 }));
    const sent = fc.record<Message>({
      kind: fc.constant('message'),
      to: fc.record({ kind: fc.constantFrom(...kinds), key: text }),
      type: text,
      text,
      except: names,
      delivery: fc.constantFrom(...DELIVERIES),
    });
    const message = fc.oneof(
      sent,
      sent.map((given): Message => ({ ...given, sendId: 'one.1' })),
    );
    fc.assert(
      fc.property(message, (given) => {
        expect(carried(given)).toEqual(given);
      }),
    );
  });

  it('spends a short line on a message with nothing special about it', () => {
    const to = { kind: 'user', key: 'ada' } as const;
    const message: Message = { kind: 'message', to, type: 'x:y', text: '{}', except: [], delivery: 'live' };
    expect(new RedisCodec('one').encode(message)).toBe('one 1\nu x:y ada\n{}');
    expect(new RedisCodec('one').encode({ ...message, delivery: 'volatile' })).toBe('one 1\nU x:y ada\n{}');
  });

  it.each([
    'one 1\n\n{}',
    'one 1\nz,a b\n{}',
    'one 1\nu a\n{}',
    'one 1\nu,a b\n{}',
    'one x\nu a b\n{}',
    'one 0\nu a b\n{}',
    'one -1\nu a b\n{}',
    'one\nu a b\n{}',
    ' 1\nu a b\n{}',
    `${'one'.repeat(30)} 1\nu a b\n{}`,
    'one 1\nu a b',
  ])('reads nothing from %j', (text) => {
    expect(new RedisCodec('other').decode(Buffer.from(text))).toBe('unreadable');
  });

  it('reads no message whose text is not UTF-8, which would close every browser it is written to', () => {
    const text = Buffer.from([0x22, 0xff, 0xc3]);
    for (const line of ['u a b', JSON.stringify({ ...plain, text: undefined, delivery: 'volatile' })]) {
      const message = Buffer.concat([Buffer.from(`one 1\n${line}\n`), text]);
      expect(new RedisCodec('other').decode(message)).toBe('unreadable');
    }
  });

  it.each(RECORDED_0_1_0)('reads what version 0.1.0 published: $text', ({ text, publication }) => {
    const envelope = new RedisCodec('other').decode(Buffer.from(text));
    if (typeof envelope === 'string') throw new Error(envelope);
    const read: object = envelope.publication;
    const fields = 'text' in read ? { ...read, text: String(read.text) } : read;
    expect(fields).toEqual(publication);
    expect(envelope.origin).toBe('hT3x_Qz81-A');
  });

  it('reads a known kind with fields it does not know, and leaves them out', () => {
    const later = { kind: 'leave', to: { ...plain.to, from: 'tomorrow' }, room: 'r', since: [1] };
    expect(read(later)).toMatchObject({ publication: { kind: 'leave', room: 'r' } });
    expect(read(later)).not.toHaveProperty('publication.since');
  });

  it.each([
    { kind: 'tomorrow', to: plain.to },
    { kind: 'constructor', to: plain.to },
    { kind: 'leave', to: { kind: 'device', key: 'x' }, room: 'r' },
  ])('calls %j unknown: it is of another version', (publication) => {
    expect(read(publication)).toBe('unknown');
  });

  it('calls the short form of an unknown kind of recipient unknown', () => {
    expect(new RedisCodec('other').decode(Buffer.from('one 1\nd type key\n{}'))).toBe('unknown');
  });

  const replyTo = { node: 'n', id: '1' };
  const { to } = plain;
  const wrong: readonly [string, object][] = [
    ['a recipient of null', { ...plain, to: null }],
    ['a recipient that is a list', { ...plain, to: [] }],
    ['a key that is a number', { ...plain, to: { ...to, key: 1 } }],
    ['the id of a send that is a number', { ...plain, except: ['a'], sendId: 7 }],
    ['the id of a send that is too long', { ...plain, except: ['a'], sendId: 's'.repeat(65) }],
    ['a type of null', { ...plain, type: null }],
    ['exceptions that are no list', { ...plain, except: { length: 1 } }],
    ['exceptions that are no texts', { ...plain, except: ['a', {}] }],
    ['too many exceptions', { ...plain, except: Array(MAX_NAMES + 1).fill('c') }],
    ['an unknown delivery', { ...plain, delivery: 'constructor' }],
    ['a delivery that is no text', { ...plain, delivery: true }],
    ['nowhere to reply to', { ...plain, replyTo: null }],
    ['a node to reply to that is no text', { ...plain, replyTo: { ...replyTo, node: {} } }],
    ['a question of no name', { ...plain, replyTo: { ...replyTo, id: '' } }],
    ['a close code that may not be sent', { kind: 'disconnect', to, code: 1006, reason: '' }],
    ['a close code that is a text', { kind: 'disconnect', to, code: '4500', reason: '' }],
    ['a close code out of range', { kind: 'disconnect', to, code: 1e9, reason: '' }],
    ['no close code', { kind: 'disconnect', to, reason: '' }],
    ['a reason of null', { kind: 'disconnect', to, code: 4_500, reason: null }],
    ['a reason that does not fit', { kind: 'disconnect', to, code: 4_500, reason: '\u00e9'.repeat(62) }],
    ['no room', { kind: 'join', to, room: '' }],
    ['a room that is too long', { kind: 'leave', to, room: 'r'.repeat(257) }],
    [
      'a time that no timer can hold',
      { kind: 'request', to, type: 'q', payload: 1, timeoutMs: 2 ** 31, replyTo },
    ],
    ['a time of null', { kind: 'request', to, type: 'q', payload: 1, timeoutMs: null, replyTo }],
    ['a question without payload', { kind: 'request', to, type: 'q', timeoutMs: 1, replyTo }],
    ['a question that wants no reply', { kind: 'request', to, type: 'q', payload: 1, timeoutMs: 1 }],
    ['a negative count', { kind: 'reply', id: '1', node: 'two', delivered: -1, dropped: 0 }],
    ['a reply of no node', { kind: 'reply', id: '1', delivered: 1, dropped: 0 }],
    ['a count that is no number', { kind: 'reply', id: '1', node: 'two', delivered: 0, dropped: '0' }],
    ['an answer of null', { kind: 'reply', id: '1', node: 'two', delivered: 0, dropped: 0, answer: null }],
    [
      'an answer that is neither',
      { kind: 'reply', id: '1', node: 'two', delivered: 0, dropped: 0, answer: { ok: 1 } },
    ],
    [
      'a code that is none',
      {
        kind: 'reply',
        id: '1',
        node: 'two',
        delivered: 0,
        dropped: 0,
        answer: { ok: false, code: 'x', message: '' },
      },
    ],
    [
      'a message that is none',
      {
        kind: 'reply',
        id: '1',
        node: 'two',
        delivered: 0,
        dropped: 0,
        answer: { ok: false, code: 'X', message: {} },
      },
    ],
  ];
  it.each(wrong)('reads no publication with %s, and publishes none', (_what, publication) => {
    expect(read(publication)).toBe('unreadable');
    // A message with nothing special about it goes the short way, which has no such fields.
    if (!('delivery' in publication) && (publication as { to?: unknown }).to !== null) {
      expect(() => new RedisCodec('one').encode(publication as Publication)).toThrow(TypeError);
    }
  });

  it('takes nothing for a field that only a prototype has', () => {
    expect(
      read({ kind: 'reply', id: '1', node: 'two', delivered: 0, dropped: 0, ['__proto__']: { answer: 1 } }),
    ).toMatchObject({
      publication: { kind: 'reply' },
    });
  });
});
