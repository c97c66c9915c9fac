import fc from 'fast-check';
import { fitCloseReason } from '../../lib/connections/close-frame.js';
import { describe, expect, it } from 'vitest';

describe('fitCloseReason', () => {
  it('cuts any text to 123 bytes of UTF-8, and never inside a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (reason) => {
        const fitted = fitCloseReason(reason);
        expect(Buffer.byteLength(fitted)).toBeLessThanOrEqual(123);
        expect(reason.startsWith(fitted)).toBe(true);
        expect(Buffer.from(fitted).toString()).toBe(fitted);
        const next = [...reason.slice(fitted.length)][0];
        if (next !== undefined) expect(Buffer.byteLength(fitted + next)).toBeGreaterThan(123);
      }),
    );
  });
});
