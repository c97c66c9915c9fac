import { mebibytes, Checks } from '../../checks.js';
import type { NodeReport } from '../crowd-contract.js';
import type { TrialResult } from './fault-trial.js';

const sum = (reports: readonly NodeReport[], of: (report: NodeReport) => number) =>
  reports.reduce((total, report) => total + of(report), 0);

/** One line of figures for a fault, with PASS or FAIL. */
export function reportTrial(result: TrialResult, clients: number, checks: Checks): void {
  const { name, counts, downMs, normalMs, upMs, open, before, after } = result;
  const uncaught = [...new Set(after.flatMap((report) => report.uncaught))];
  const failures = Object.entries(counts.failures).map(([reason, count]) => `${reason} ${count}`);
  const change = (of: (report: NodeReport) => number) => `${sum(before, of)} → ${sum(after, of)}`;
  const line = [
    `open ${open}/${clients}`,
    `local ${counts.localSeen}/${counts.localExpected}`,
    `remote ${counts.remoteSeen}`,
    downMs === undefined ? 'down not required' : `down after ${downMs} ms`,
    `normal ${normalMs} ms, up ${upMs} ms after it`,
    `sends ${counts.issued}, failed: ${failures.join(', ') || 'none'}, longest ${Math.round(counts.longestMs)} ms`,
    `doubled ${counts.doubled}, out of order ${counts.reordered}`,
    `heap ${mebibytes(sum(before, (report) => report.heapBytes))} → ${mebibytes(sum(after, (report) => report.heapBytes))}`,
    `handles ${change((report) => report.handles)}`,
    `pending ${change((report) => report.pending)}`,
    `channels ${change((report) => report.channels)}`,
    `uncaught ${uncaught.length}`,
  ].join('; ');
  const shortfalls = [
    ...result.shortfalls,
    ...(open === clients && counts.closed === 0 ? [] : [`${counts.closed} sockets closed`]),
    ...(counts.doubled === 0 ? [] : ['doubled']),
    ...(counts.reordered === 0 ? [] : ['out of order']),
    ...counts.untyped.slice(0, 3).map((words) => `no typed receipt: ${words}`),
    ...uncaught.map((error) => `uncaught: ${error}`),
  ];
  checks.check(shortfalls.length === 0, `${name}: ${line}`);
  for (const shortfall of shortfalls) console.log(`      ${shortfall}`);
}
