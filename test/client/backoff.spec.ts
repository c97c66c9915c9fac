import { describe, expect, it } from 'vitest';
import { Backoff } from '../../lib/client/backoff.js';

const OPTIONS = { minRetryMs: 500, maxRetryMs: 20_000, firstRetrySpreadMs: 5_000, stableAfterMs: 30_000 };

function backoff(random: number, attempt: number) {
  const made = new Backoff({ ...OPTIONS, random: () => random });
  made.attempt = attempt;
  return made;
}

describe('the wait after a failed attempt', () => {
  it("is centrifuge's: min(max, min + rand(0, min(max, min * 2^n)))", () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 40].map((attempt) => backoff(1, attempt).afterFailure());
    expect(longest).toEqual([1_000, 1_500, 2_500, 4_500, 8_500, 16_500, 20_000, 20_000]);
    const shortest = [1, 5, 40].map((attempt) => backoff(0, attempt).afterFailure());
    expect(shortest).toEqual([500, 500, 500]);
  });
});

describe('the wait after a lost connection', () => {
  it('is drawn from the whole spread', () => {
    expect([0, 0.5, 1].map((random) => backoff(random, 1).afterLoss(60_000))).toEqual([0, 2_500, 5_000]);
  });

  it('begins a new count only if the connection was stable', () => {
    const stable = backoff(1, 6);
    stable.afterLoss(30_000);
    expect(stable.attempt).toBe(0);
    const hasty = backoff(1, 6);
    hasty.afterLoss(29_999);
    expect(hasty.attempt).toBe(6);
  });

  it('grows for a server that accepts and drops', () => {
    expect([1, 4, 5, 9].map((attempt) => backoff(1, attempt).afterLoss(0))).toEqual([
      5_000, 8_000, 16_000, 20_000,
    ]);
  });
});

describe("the server's advice", () => {
  it('is the least, with up to as much again', () => {
    expect(backoff(0, 1).afterAdvice('retry=2000')).toBe(2_000);
    expect(backoff(1, 1).afterAdvice('busy, retry=2000')).toBe(4_000);
    expect(backoff(1, 1).afterAdvice('retry=60000')).toBe(65_000);
    expect(backoff(1, 1).afterAdvice('retry=0')).toBe(0);
  });

  it('never overflows a timer', () => {
    expect(backoff(1, 1).afterAdvice('retry=99999999999')).toBe(0x7fffffff);
  });

  it('is nothing where none is given', () => {
    expect(backoff(1, 1).afterAdvice('the server is restarting')).toBeUndefined();
    expect(backoff(1, 1).afterAdvice('noretry=1')).toBeUndefined();
  });
});
