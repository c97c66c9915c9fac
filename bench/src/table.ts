import type { Figures } from './test-setup.js';
import { median } from './median.js';
import type { Row } from './row.js';

/** The figures of one entrant over all rounds. */
export interface Result {
  /** The figure of each round. */
  readonly rounds: readonly number[];
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly wall: number;
  readonly share: number;
  readonly latencies: Figures['latencies'];
}

/** Row name, then entrant name. */
export type Results = Map<string, Map<string, Result>>;

export function summarize(rounds: readonly Figures[]): Result {
  const figures = rounds.map(({ perCpuSecond }) => perCpuSecond);
  return {
    rounds: figures,
    median: median(figures),
    min: Math.min(...figures),
    max: Math.max(...figures),
    wall: median(rounds.map(({ perSecond }) => perSecond)),
    share: median(rounds.map(({ share }) => share)),
    latencies: {
      p50: median(rounds.map(({ latencies }) => latencies.p50)),
      p99: median(rounds.map(({ latencies }) => latencies.p99)),
      p999: median(rounds.map(({ latencies }) => latencies.p999)),
    },
  };
}

/** The lines of one row, as Markdown; `wall` is heap bytes in a row of bytes. */
export function linesOf(row: Row, results: Results): string[] {
  const own = results.get(row.name) ?? new Map<string, Result>();
  const ours = [...own.values()][0];
  const isBytes = row.unit === 'bytes';
  const lines = [
    `### ${row.title}`,
    '',
    `| | ${isBytes ? 'bytes' : 'per server-CPU-second'} | min–max | ours is | ${isBytes ? 'JS heap' : 'per wall second'} | p50 / p99 / p99.9 ms | generator's CPU |`,
    '|---|---:|---:|---:|---:|---:|---:|',
  ];
  for (const [name, result] of own) {
    const { median: figure, min, max, wall, share, latencies } = result;
    const ratio = ours === undefined || own.size === 1 ? '' : `${ratioOf(ours, result).toFixed(2)} ×`;
    const { p50, p99, p999 } = latencies;
    const latency = p50 === 0 ? '' : [p50, p99, p999].map((ms) => ms.toFixed(2)).join(' / ');
    lines.push(
      `| ${name} | ${count(figure)} | ${count(min)}–${count(max)} | ${ratio} | ${count(wall)} | ${latency} | ${Math.round(share * 100)} % |`,
    );
  }
  return [...lines, '', ...checksOf(row, results).map(({ text }) => text), ''];
}

/** Whether each target is met. */
export function checksOf(row: Row, results: Results): { text: string; isMet: boolean }[] {
  const ours = results.get(row.name)?.values().next().value;
  if (ours === undefined) return [];
  const checks = row.bars.flatMap(({ peer, factor, row: other = row.name }) => {
    const theirs = results.get(other)?.get(peer);
    if (theirs === undefined) return [];
    const ratio = other === row.name ? ratioOf(ours, theirs) : ours.median / theirs.median;
    const what = other === row.name ? peer : `${peer} in ${other}`;
    return [check(ratio >= factor, `${ratio.toFixed(2)} × ${what}, the target is ${factor} ×`)];
  });
  if (row.atMost === undefined) return checks;
  return [
    ...checks,
    check(ours.median <= row.atMost, `${count(ours.median)} bytes, at most ${count(row.atMost)}`),
  ];
}

/** The median of the ratios within each round, since other load of the machine in a round affects both. */
function ratioOf(ours: Result, theirs: Result): number {
  return median(ours.rounds.map((figure, i) => figure / (theirs.rounds[i] as number)));
}

function check(isMet: boolean, text: string) {
  return { isMet, text: `${isMet ? 'met' : 'MISSED'}: ${text}.` };
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
