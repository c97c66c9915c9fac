import { describe, expect, it } from 'vitest';
import { drainSchedule } from '../../lib/gateway/drain/drain-schedule.js';

const standard = { reconnectsPerSecond: 1_000, timeoutMs: 20_000 };

describe('the schedule of a drain', () => {
  it.each([1, 10, 1_000, 50_000])('gives each of %s clients a second to reconnect', (connections) => {
    expect(drainSchedule(connections, standard).graceMs).toBe(1_000);
  });

  it('spreads the clients over the time that the other nodes need', () => {
    expect(drainSchedule(10, standard).windowMs).toBe(10);
    expect(drainSchedule(5_000, standard).windowMs).toBe(5_000);
  });

  it('leaves a fifth of a short deadline for handlers and closing handshakes', () => {
    expect(drainSchedule(50_000, standard)).toEqual({ windowMs: 14_000, graceMs: 1_000, timeoutMs: 20_000 });
    const { windowMs, graceMs } = drainSchedule(50_000, { reconnectsPerSecond: 1, timeoutMs: 1_000 });
    expect(windowMs + graceMs).toBe(800);
  });

  it('advises all clients to leave at once when the drain is off', () => {
    expect(drainSchedule(50_000, false)).toEqual({ windowMs: 0, graceMs: 0, timeoutMs: 1_000 });
  });
});
