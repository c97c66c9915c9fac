import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionIndex } from '../../lib/connections/connection-index.js';

describe('ConnectionIndex', () => {
  it('holds what a map of sets would hold, whatever is added and deleted', () => {
    const members = Array.from({ length: 4 }, (_, n) => ({ n }));
    const step = fc.tuple(fc.boolean(), fc.constantFrom('a', 'b', 'c'), fc.constantFrom(...members));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const index = new ConnectionIndex<{ n: number }>();
        const model = new Map<string, Set<{ n: number }>>();
        for (const [isAdded, key, member] of steps) {
          const set = model.get(key) ?? new Set();
          if (isAdded) {
            expect(index.add(key, member)).toBe(set.size === 0);
            model.set(key, set.add(member));
          } else {
            const isLast = set.size === 1 && set.has(member);
            expect(index.delete(key, member)).toBe(isLast);
            set.delete(member);
            if (set.size === 0) model.delete(key);
          }
          expect(index.size).toBe(model.size);
          for (const name of ['a', 'b', 'c']) {
            expect(new Set(index.of(name))).toEqual(model.get(name) ?? new Set());
          }
        }
      }),
    );
  });
});
