import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NodeLease, type LeaseHolder } from '../../lib/backplane/redis/client/node-lease.js';

const SETTINGS = { leaseMs: 3_000, refreshMs: 1_000 };

class RecordedHolder implements LeaseHolder {
  readonly renewals: number[] = [];
  readonly failures: string[] = [];
  outcome: () => Promise<void> = async () => {};

  renew(leaseMs: number): Promise<void> {
    this.renewals.push(leaseMs);
    return this.outcome();
  }

  renewalFailed({ message }: Error): void {
    this.failures.push(message);
  }
}

describe('NodeLease', () => {
  let lease: NodeLease;
  let holder: RecordedHolder;

  beforeEach(() => {
    vi.useFakeTimers();
    lease = new NodeLease(SETTINGS);
    holder = new RecordedHolder();
  });
  afterEach(() => {
    lease.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('renews all holders with one timer, and none after stop', async () => {
    const other = new RecordedHolder();
    lease.hold(holder);
    lease.hold(other);
    lease.start();
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(2_500);
    expect([holder.renewals, other.renewals]).toEqual([
      [3_000, 3_000],
      [3_000, 3_000],
    ]);
    lease.stop();
    lease.renew();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(holder.renewals).toHaveLength(2);
  });

  it('runs no timer without a holder', () => {
    lease.start();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('renews the others, and goes on, when one holder fails', async () => {
    const other = new RecordedHolder();
    lease.hold(holder);
    lease.hold(other);
    holder.outcome = () => Promise.reject(new Error('Redis is away.'));
    lease.start();
    await vi.advanceTimersByTimeAsync(2_500);
    expect(holder.failures).toEqual(['Redis is away.', 'Redis is away.']);
    expect(other.renewals).toHaveLength(2);
  });

  it('has one renewal under way at a time', async () => {
    let settle = () => {};
    holder.outcome = () => new Promise((resolve) => (settle = resolve));
    lease.hold(holder);
    lease.start();
    lease.renew();
    lease.renew();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(holder.renewals).toHaveLength(1);
    settle();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(holder.renewals).toHaveLength(2);
  });
});
