import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { promisesSettled } from '../rig/clock/manual-clock.js';
import type { SocketDouble } from './socket-double.js';
import { Testbed } from './testbed.js';

let bed: Testbed;
let socket: SocketDouble;
beforeEach(async () => {
  bed = new Testbed();
  socket = await bed.connected();
});
afterEach(() => bed.client.close());

const circle: Record<string, unknown> = {};
circle['self'] = circle;

const UNSENDABLE: readonly [string, unknown, string][] = [
  ['a Map', { tables: new Map() }, 'the payload holds Map at "tables"'],
  ['a Set in a list', { list: [new Set()] }, 'the payload holds Set at "0"'],
  ['a BigInt', { n: 1n }, 'the payload holds BigInt at "n"'],
  ['undefined in a list', { list: [undefined] }, 'the payload holds Undefined at "0"'],
  ['a function', { act: () => undefined }, 'the payload holds Function at "act"'],
  ['a symbol', { s: Symbol('s') }, 'the payload holds Symbol at "s"'],
  ['NaN', { n: NaN }, 'the payload holds NaN at "n"'],
  ['Infinity', { n: Infinity }, 'the payload holds Infinity at "n"'],
  ['bytes', { bytes: new Uint8Array(2) }, 'the payload holds Uint8Array at "bytes"'],
  ['a promise', { later: Promise.resolve() }, 'the payload holds Promise at "later"'],
  ['an error', { error: new Error('x') }, 'the payload holds Error at "error"'],
  ['a circle', circle, 'circular'],
];

describe('a payload that JSON cannot carry', () => {
  it.each(UNSENDABLE)(
    'is refused at the call with the type of the message: %s',
    async (_, payload, reason) => {
      const sentence = expect.stringContaining(reason) as string;
      const isNamed = expect.stringContaining('"say" cannot be sent as JSON: ') as string;
      for (const asked of [
        bed.client.send('say', payload as never),
        bed.client.request('say', payload as never),
      ]) {
        const error = (await asked.catch((thrown: unknown) => thrown)) as Error;
        expect(error).toBeInstanceOf(TypeError);
        expect([error.message, error.message]).toEqual([sentence, isNamed]);
      }
      expect(() => bed.client.stream('say', payload as never)).toThrow(TypeError);
      expect(socket.sent).toEqual([]);
    },
  );

  it('is refused as a reply to the server too, and is an error of the page', async () => {
    bed.client.onRequest('confirm', () => ({ tables: new Map() }));
    socket.deliver('$request', { type: 'confirm', payload: {} }, 's1');
    await promisesSettled();
    expect(socket.sent).toMatchObject([{ type: '$error', id: 's1', payload: { code: 'INTERNAL' } }]);
    await expect(bed.clock.advance(0)).rejects.toThrow('the payload holds Map at "tables"');
  });
});

it('dates, own toJSON, null prototypes and absent properties are sent as JSON.stringify does', async () => {
  class Money {
    constructor(private readonly cents: number) {}
    toJSON(): string {
      return `${this.cents} ct`;
    }
  }
  const payload = {
    at: new Date(0),
    price: new Money(5),
    bare: Object.assign(Object.create(null), { n: 1 }) as object,
    absent: undefined,
    list: [null, 'é', true],
  };
  await bed.client.send('say', payload);
  expect(socket.sent[0]?.payload).toEqual(JSON.parse(JSON.stringify(payload)));
});
