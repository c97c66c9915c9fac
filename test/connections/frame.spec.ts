import type { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { Frame } from '../../lib/connections/frame.js';
import { encodeMessage } from '../../lib/protocol/codec.js';

// Exported by ws and missing in its types.
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

/** What ws's own parser, as a client has it, makes of bytes that come in pieces. */
async function receive(pieces: Buffer[]): Promise<string[]> {
  const receiver = new Receiver({ isServer: false });
  const texts: string[] = [];
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) throw new Error('binary');
    texts.push(data.toString());
  });
  await new Promise<void>((resolve, reject) => {
    receiver.on('error', reject);
    receiver.on('finish', resolve);
    for (const piece of pieces) receiver.write(piece);
    receiver.end();
  });
  return texts;
}

const framed = (text: string) => new Frame(text).bytes;

describe('the bytes of a Frame', () => {
  it.each([0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537, 1_000_000])(
    'frames %i bytes so that ws reads them back',
    async (length) => {
      const text = 'x'.repeat(length);
      expect(await receive([framed(text)])).toEqual([text]);
    },
  );

  it.each([42, 62, 63, 21_844, 21_845, 21_846])(
    'counts bytes and not characters: %i times ü€😀',
    async (times) => {
      for (const character of ['ü', '€', '😀']) {
        const text = character.repeat(times);
        expect(await receive([framed(text)])).toEqual([text]);
      }
    },
  );

  it('makes frames that follow each other, in any text and cut anywhere', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'grapheme', minLength: 60, maxLength: 200 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 5 }), fc.nat(), async (texts, at) => {
        const bytes = Buffer.concat(texts.map(framed));
        const cut = at % bytes.length;
        expect(await receive([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(texts);
      }),
      { numRuns: 200 },
    );
  });

  it('uses the shortest header that fits', () => {
    const headerOf = (length: number) => framed('x'.repeat(length)).length - length;
    expect([0, 125, 126, 65_535, 65_536].map(headerOf)).toEqual([2, 2, 4, 4, 10]);
  });
});

describe('a Frame', () => {
  it('makes its bytes once', () => {
    const frame = new Frame('hi');
    expect(frame.bytes).toBe(frame.bytes);
    expect(frame.bytes).toEqual(Buffer.from([0x81, 2, 0x68, 0x69]));
  });

  it('without a channel has the bytes of its payload', () => {
    const text = encodeMessage('moved', { to: 'ü' });
    for (const payload of [text, Buffer.from(text)]) {
      const frame = new Frame(payload);
      expect([frame.text, frame.channel, frame.position]).toEqual([text, undefined, undefined]);
    }
  });

  it.each([
    ['room:42', 'e1:7:ab'],
    ['room:"ü\n"', undefined],
  ])(
    'adds the channel %j and the position %j to the message, as text or as UTF-8',
    async (channel, position) => {
      const message = { type: 'moved', payload: { to: 'ü', list: [{}] } };
      const text = encodeMessage(message.type, message.payload);
      const expected = { ...message, channel, ...(position === undefined ? {} : { position }) };
      for (const payload of [text, Buffer.from(text)]) {
        const frame = new Frame(payload, channel, position);
        const [received] = await receive([frame.bytes]);
        expect(JSON.parse(received as string)).toEqual(expected);
        expect([frame.text, frame.channel, frame.position]).toEqual([received, channel, position]);
      }
    },
  );
});
