import type { DeliveryCounts, Toll } from './failover-oracle.js';

const MAX_WAIT_MS = 4_000;

export function printTallies(counted: readonly DeliveryCounts[]): void {
  console.table(
    counted.map(({ phase, failures, missingReported, missingSilently, longestMs, ...counts }) => ({
      phase,
      ...counts,
      failures:
        Object.entries(failures)
          .map(([reason, count]) => `${reason} ${count}`)
          .join(', ') || 'none',
      'missing, reported': missingReported,
      'missing, silent': missingSilently,
      'longest ms': Math.round(longestMs),
    })),
  );
}

/** One failover: its start, and the time until there was a new master. */
export interface Failover {
  readonly phase: string;
  readonly begun: number;
  readonly promotedMs: number;
}

// After the promotion a node has to learn of it, connect and subscribe.
const FOLLOW_WITHIN_MS = 2_000;

/** Prints what a failover cost; a loss or rejection after the time allowed for the nodes to follow is a shortfall. */
export function assessFailover({ phase, promotedMs }: Failover, toll: Toll): string[] {
  const ms = (value: number) => `${Math.round(value)} ms`;
  console.log(
    `${phase}: new master after ${ms(promotedMs)}; ${toll.rejected} rejected (the last published at ${ms(toll.lastRejectedMs)}), ` +
      `${toll.lost} accepted and lost (the last at ${ms(toll.lastLostMs)}); longest under way ${ms(toll.longestMs)}`,
  );
  const end = promotedMs + FOLLOW_WITHIN_MS;
  return [
    toll.lastLostMs > end ? [`${phase}: lost ${ms(toll.lastLostMs - promotedMs)} after the promotion`] : [],
    toll.lastRejectedMs > end
      ? [`${phase}: rejected ${ms(toll.lastRejectedMs - promotedMs)} after the promotion`]
      : [],
  ].flat();
}

/** What must hold in each phase: typed errors, bounded time, once and in order; no loss without a failure. */
export function shortfalls(counted: readonly DeliveryCounts[], losslessPhases: readonly string[]): string[] {
  return counted.flatMap((counts) => {
    const { phase } = counts;
    const failed = Object.values(counts.failures).reduce((sum, count) => sum + count, 0);
    const lost = counts.missingReported + counts.missingSilently;
    const isLossless = losslessPhases.includes(phase);
    return [
      counts.published === counts.accepted + failed + counts.untyped ? [] : [`${phase}: some never settled`],
      counts.untyped === 0 ? [] : [`${phase}: ${counts.untyped} failed without a reason`],
      counts.doubled === 0 ? [] : [`${phase}: ${counts.doubled} doubled`],
      counts.reordered === 0 ? [] : [`${phase}: ${counts.reordered} out of order`],
      counts.longestMs < MAX_WAIT_MS ? [] : [`${phase}: one waited ${Math.round(counts.longestMs)} ms`],
      isLossless && lost > 0 ? [`${phase}: ${lost} lost`] : [],
      isLossless && failed > 0 ? [`${phase}: ${failed} refused`] : [],
    ].flat();
  });
}

/** Prints the shortfalls and sets the exit code. */
export function conclude(found: readonly string[]): void {
  for (const shortfall of found) console.error(`FAILED ${shortfall}`);
  if (found.length > 0) process.exitCode = 1;
  else console.log('All bars hold.');
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
