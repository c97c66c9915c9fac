import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DuplicateFilter } from '../../lib/client/duplicate-filter.js';

interface Publication {
  readonly text: string;
  readonly at: number;
  /** How long each connection takes to bring it. */
  readonly oldMs: number;
  readonly newMs: number;
}

/** When the next connection was dialled, was joined, and when the old one ended. */
const [JOINED, LEFT] = [300, 1_800];

/** What a client hears of publications: the old connection brings those before `LEFT`, the new one those after `JOINED`. */
function heardOf(publications: readonly Publication[]): Map<string, number> {
  const duplicates = new DuplicateFilter<'old' | 'new'>('old');
  const arrivals = publications.flatMap(({ text, at, oldMs, newMs }) => [
    ...(at < LEFT ? [{ connection: 'old', text, at: at + oldMs } as const] : []),
    ...(at >= JOINED ? [{ connection: 'new', text, at: at + newMs } as const] : []),
  ]);
  const received = new Map<string, number>();
  let hasEnded = false;
  for (const { connection, text, at } of arrivals.toSorted((a, b) => a.at - b.at)) {
    if (!hasEnded && at >= LEFT + 50) {
      hasEnded = true;
      duplicates.end(LEFT + 50);
    }
    if (!duplicates.isRepeated(connection, text, at)) received.set(text, (received.get(text) ?? 0) + 1);
  }
  return received;
}

function saidBy(publications: readonly Publication[]): Map<string, number> {
  const said = new Map<string, number>();
  for (const { text } of publications) said.set(text, (said.get(text) ?? 0) + 1);
  return said;
}

const publication = (text: fc.Arbitrary<string>, maxDelayMs: number) =>
  fc.record({
    text,
    at: fc.integer({ min: 0, max: 4_000 }),
    oldMs: fc.integer({ min: 0, max: maxDelayMs }),
    newMs: fc.integer({ min: 0, max: maxDelayMs }),
  });

describe('a handover with both nodes up', () => {
  it('of different messages: each is delivered exactly once, though a connection lags by almost a second', () => {
    const many = fc.uniqueArray(publication(fc.uuid(), 950), { maxLength: 60, selector: ({ text }) => text });
    fc.assert(
      fc.property(many, (publications) => {
        expect(heardOf(publications)).toEqual(saidBy(publications));
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it('of identical messages: at most one per message sent, and not fewer than either connection delivered', () => {
    const few = fc.array(publication(fc.constantFrom('+1', '-1', 'x'), 20), { maxLength: 40 });
    fc.assert(
      fc.property(few, (publications) => {
        const received = heardOf(publications);
        for (const text of saidBy(publications).keys()) {
          const same = publications.filter((one) => one.text === text);
          const byOld = same.filter(({ at }) => at < LEFT).length;
          const byNew = same.filter(({ at }) => at >= JOINED).length;
          expect(received.get(text)).toBeGreaterThanOrEqual(Math.max(byOld, byNew));
          expect(received.get(text)).toBeLessThanOrEqual(same.length);
        }
      }),
      { numRuns: 500, seed: 2 },
    );
  });

  it('of one message sent repeatedly: each is delivered exactly once, whichever connection is faster', () => {
    const steady = fc.record({
      everyMs: fc.integer({ min: 60, max: 900 }),
      oldMs: fc.integer({ min: 0, max: 20 }),
      newMs: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(steady, ({ everyMs, oldMs, newMs }) => {
        const publications = Array.from({ length: Math.floor(4_000 / everyMs) }, (_, i) => {
          return { text: '+1', at: i * everyMs, oldMs, newMs };
        });
        expect(heardOf(publications)).toEqual(saidBy(publications));
      }),
      { numRuns: 500, seed: 3 },
    );
  });
});

it('knows no more than what came within a second', () => {
  const duplicates = new DuplicateFilter<'old' | 'new'>('old');
  for (let n = 0; n < 10_000; n++) duplicates.isRepeated('old', `${n}`, n);
  expect(duplicates.size).toBe(1_000);
});
