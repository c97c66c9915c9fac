import { describe, expect, it } from 'vitest';
import { CloseCode, isSendableCloseCode, shouldReconnect } from '../../lib/protocol/close-codes.js';

describe('the close codes', () => {
  it.each(Object.entries(CloseCode))('%s may be sent', (_name, code) => {
    expect(isSendableCloseCode(code)).toBe(true);
  });

  it.each([
    [4000, true],
    [4499, true],
    [4500, false],
    [4999, false],
    [1000, false],
    [1001, true],
    [1002, false],
    [1006, true],
    [1008, false],
    [1009, false],
    [1011, true],
    [1012, true],
    [1013, true],
  ])('after %i a client comes back: %s', (code, comesBack) => {
    expect(shouldReconnect(code)).toBe(comesBack);
  });

  it.each([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 1000.5, Number.NaN])(
    '%s may not be sent',
    (code) => {
      expect(isSendableCloseCode(code)).toBe(false);
    },
  );
});
