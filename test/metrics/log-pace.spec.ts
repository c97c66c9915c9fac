import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LogPace } from '../../lib/metrics/log-pace.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('writes a burst, then one line per interval with the number suppressed', () => {
  const pace = new LogPace({ burst: 3, intervalMs: 1_000 });
  expect([1, 2, 3, 4, 5].map(() => pace.next('a'))).toEqual([0, 0, 0, undefined, undefined]);
  vi.advanceTimersByTime(999);
  expect(pace.next('a')).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect(pace.next('a')).toBe(3);
  expect(pace.next('a')).toBeUndefined();
  vi.advanceTimersByTime(60_000);
  expect([1, 2, 3, 4].map(() => pace.next('a'))).toEqual([1, 0, 0, undefined]);
});

it('counts each kind separately, and keeps a bounded number of kinds', () => {
  const pace = new LogPace({ burst: 1, intervalMs: 1_000 });
  expect(pace.next('a')).toBe(0);
  expect(pace.next('b')).toBe(0);
  expect(pace.next('a')).toBeUndefined();
  for (let i = 0; i < 1_000; i++) pace.next(`other ${i}`);
  expect(pace.next('a')).toBe(0);
});
