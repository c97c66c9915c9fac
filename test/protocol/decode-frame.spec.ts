import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameRefusal, decodeFrame } from '../../lib/protocol/codec.js';

const LIMITS = { maxDepth: 8, maxKeys: 40 };

/** JSON with what attackers put into it: keys that name internals, lone surrogates, depth. */
const hostileKey = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'type',
    'id',
    'payload',
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '\ud800',
  ),
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 12 },
    fc.constantFrom(null, true, false, 0, -1, 1e308),
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie('json'), { maxLength: 6 }),
    fc.array(fc.tuple(hostileKey, tie('json')), { maxLength: 6 }).map(objectText),
  ),
}));

/** An object whose own keys may be `__proto__`. */
function objectText(entries: [string, unknown][]): unknown {
  const object: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [key, value] of entries)
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true });
  return object;
}

// Text comes over the wire as UTF-8, in which a lone surrogate can only be written as an escape.
const frameText = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    json.map((value) => JSON.stringify(value)),
    fc.tuple(hostileKey, json, json).map(([type, payload, id]) => JSON.stringify({ type, payload, id })),
    fc.tuple(json, fc.nat(), fc.nat()).map(([payload, from, to]) => {
      const text = JSON.stringify({ type: 'a', id: 1, payload });
      return text.slice(0, from % text.length) + text.slice(to % text.length);
    }),
  )
  .map((text) => Buffer.from(text).toString());

/** Every own key of a value and every text in it, and how deep it is. */
function walk(
  value: unknown,
  depth = 1,
): { keys: string[]; texts: string[]; depth: number; pollutes: boolean } {
  if (typeof value === 'string') return { keys: [], texts: [value], depth: depth - 1, pollutes: false };
  if (typeof value !== 'object' || value === null)
    return { keys: [], texts: [], depth: depth - 1, pollutes: false };
  const constructor: unknown = Object.getOwnPropertyDescriptor(value, 'constructor')?.value;
  const parts = Object.values(value).map((part) => walk(part, depth + 1));
  return {
    keys: [...(Array.isArray(value) ? [] : Object.keys(value)), ...parts.flatMap(({ keys }) => keys)],
    texts: parts.flatMap(({ texts }) => texts),
    depth: Math.max(depth, ...parts.map((part) => part.depth)),
    pollutes:
      Object.hasOwn(value, '__proto__') ||
      Object.hasOwn(Object(constructor) as object, 'prototype') ||
      parts.some((part) => part.pollutes),
  };
}

function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

describe('decodeFrame', () => {
  it('never throws, and accepts only what may reach an app', () => {
    let accepted = 0;
    fc.assert(
      fc.property(frameText, (text) => {
        const frame = decodeFrame(text, LIMITS);
        if (frame instanceof FrameRefusal) return;
        accepted++;
        expect(['type', 'payload', 'id', 'key']).toEqual(expect.arrayContaining(Object.keys(frame)));
        expect(frame.type.length).toBeGreaterThan(0);
        expect(frame.type.length).toBeLessThanOrEqual(128);
        expect(['undefined', 'number', 'string']).toContain(typeof frame.id);
        if (typeof frame.id === 'number') expect(Number.isFinite(frame.id)).toBe(true);
        if (typeof frame.id === 'string') expect(frame.id.length).toBeGreaterThan(0);
        const { keys, texts, depth, pollutes } = walk({
          type: frame.type,
          id: frame.id,
          payload: frame.payload,
        });
        expect(pollutes).toBe(false);
        expect(keys.length).toBeLessThanOrEqual(LIMITS.maxKeys + 3);
        expect(depth).toBeLessThanOrEqual(LIMITS.maxDepth);
        expect([...keys, ...texts].every(isWellFormed)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it('hands on an accepted payload exactly as JSON.parse makes it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (payload) => {
        const frame = decodeFrame(JSON.stringify({ type: 'a', payload }), { maxDepth: 100, maxKeys: 10_000 });
        if (frame instanceof FrameRefusal) return;
        expect(frame.payload).toEqual(JSON.parse(JSON.stringify(payload)));
      }),
    );
  });

  it.each([
    ['"constructor":3', true],
    ['"constructor":null,"prototype":{"constructor":"Object"}', true],
    ['"constructor":{"name":"Object"}', true],
    ['"constructor":["prototype"]', true],
    ['"a":[{"constructor":{"prototype":{"isAdmin":true}}}]', false],
    ['"constructor":{"prototype":null}', false],
    ['"\\u0063onstructor":{"prototyp\\u0065":1}', false],
    ['"__proto__":1', false],
    ['"a":[{"__proto__":null}]', false],
  ])('with the keys %s in the payload is accepted: %s', (keys, isAccepted) => {
    const frame = decodeFrame(`{"type":"a","id":7,"payload":{${keys}}}`, LIMITS);
    expect(frame instanceof FrameRefusal ? [frame.id, frame.message] : 'accepted').toEqual(
      isAccepted
        ? 'accepted'
        : [7, 'the key "__proto__" is not allowed, nor is "constructor" with a "prototype"'],
    );
  });

  it('says nothing of the frame in a refusal', () => {
    fc.assert(
      fc.property(frameText, (text) => {
        const frame = decodeFrame(`${text}"s3cret`, LIMITS);
        if (frame instanceof FrameRefusal) expect(frame.message).not.toContain('s3cret');
      }),
    );
  });

  it.each([
    ['depth', '{"type":"a","payload":[[[[[[[1]]]]]]]}', undefined],
    ['depth', '{"type":"a","payload":[[[[[[[[1]]]]]]]]}', 'the JSON is nested deeper than 8'],
    [
      'keys',
      JSON.stringify({ type: 'a', payload: Object.fromEntries([...Array(38).keys()].map((n) => [n, n])) }),
      undefined,
    ],
    [
      'keys',
      JSON.stringify({ type: 'a', payload: Object.fromEntries([...Array(39).keys()].map((n) => [n, n])) }),
      'the JSON has more than 40 keys',
    ],
    ['type', JSON.stringify({ type: 'x'.repeat(128) }), undefined],
    ['type', JSON.stringify({ type: 'x'.repeat(129) }), 'the type must be a string of 1 to 128 characters'],
    ['id', JSON.stringify({ type: 'a', id: 'x'.repeat(128) }), undefined],
    [
      'id',
      JSON.stringify({ type: 'a', id: 'x'.repeat(129) }),
      'the id must be a finite number or a string of 1 to 128 characters',
    ],
  ])('holds the limit of %s exactly: %#', (_what, text, refusal) => {
    const frame = decodeFrame(text, LIMITS);
    expect(frame instanceof FrameRefusal ? frame.message : undefined).toBe(refusal);
  });
});
