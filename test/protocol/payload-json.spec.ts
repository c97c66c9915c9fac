import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeMessage, encodeRequest, encodeReply } from '../../lib/protocol/codec.js';
import { payloadJson } from '../../lib/protocol/payload-json.js';

const cycle: Record<string, unknown> = { a: 1 };
cycle['self'] = { list: [cycle] };

describe('a payload that is sent', () => {
  it.each<[string, unknown, string]>([
    ['a Map', { items: [0, 1, 2, { tags: new Map([['a', 1]]) }] }, 'a Map at items[3].tags'],
    ['a Set', new Set([1]), 'a Set:'],
    ['a WeakMap', { a: new WeakMap() }, 'a WeakMap at a'],
    ['a RegExp', { a: /x/ }, 'a RegExp at a'],
    ['a Promise', { a: Promise.resolve(1) }, 'a Promise at a'],
    ['an Error', [new Error('x')], 'an Error at [0]'],
    ['an ArrayBuffer', { a: new ArrayBuffer(4) }, 'an ArrayBuffer at a'],
    ['bytes', { a: { b: new Uint8Array([1, 2]) } }, 'a Uint8Array at a.b'],
    ['a BigInt', { a: [[1n]] }, 'a BigInt at a[0][0]'],
    ['a cycle', cycle, 'a cycle at self.list[0]'],
    ['NaN', { a: NaN }, 'NaN at a'],
    ['Infinity', { a: [-Infinity] }, '-Infinity at a[0]'],
    ['undefined in a list', { a: [1, undefined] }, 'undefined at a[1]'],
    ['a function in a list', [() => 1], 'a function at [0]'],
    ['a symbol', Symbol('s'), 'a symbol:'],
    ['a function', () => 1, 'a function:'],
    ['a Map that toJSON gives', { a: { toJSON: () => new Map() } }, 'a Map at a'],
  ])('throws and names the message and the place for %s', (_title, payload, said) => {
    const message = `Expected the payload of "order:placed" to be JSON, got ${said}`;
    expect(() => encodeMessage('order:placed', payload)).toThrow(message);
    expect(() => encodeRequest('s1', 'order:placed', payload)).toThrow(message);
    expect(() => encodeReply(1, payload, 'order')).toThrow('Expected the reply to "order" to be JSON, got ');
    expect(() => encodeMessage('order:placed', payload)).toThrow(TypeError);
  });

  it('is what JSON.stringify makes of it otherwise', () => {
    const shared = { a: null };
    class Booking {
      at = new Date(0);
      note = undefined;
      free = {};
      isOver = () => true;
      mark = Symbol('mark');
      file = Buffer.from('abc');
      twice = [shared, shared];
      numbers = { 0: 'a', 1: 'null {}' };
      site = new URL('http://localhost');
    }
    const json = payloadJson(new Booking(), 'it');
    expect(json).toBe(JSON.stringify(new Booking()));
    expect(JSON.parse(json)).not.toHaveProperty('note');
    expect(encodeMessage('a', undefined)).toBe('{"type":"a","payload":null}');
    expect(encodeReply(1, undefined)).toBe('{"type":"$reply","id":1,"payload":null}');
  });

  it('keeps every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(payloadJson(value, 'it')).toBe(JSON.stringify(value));
      }),
    );
  });

  it('throws what a toJSON of the application throws', () => {
    const payload = {
      toJSON() {
        throw new Error('database away');
      },
    };
    expect(() => encodeMessage('a', payload)).toThrow('database away');
  });
});
