import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { OURS, profiling, type Entrant, type Figures } from './test-setup.js';
import { measureGrowth } from './growth.js';
import type { Row } from './row.js';
import { ROWS } from './rows.js';
import { linesOf, summarize, checksOf, type Results } from './table.js';

const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    profile: { type: 'boolean', default: false },
    growth: { type: 'boolean', default: false },
    baseline: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const resultsDirectory = fileURLToPath(new URL('../results/', import.meta.url));
mkdirSync(resultsDirectory, { recursive: true });
if (values.profile) profiling.directory = `${resultsDirectory}profiles`;

if (values.growth) {
  await measureGrowth(resultsDirectory, Math.min(rounds, 3), seconds);
  process.exit();
}

const wanted = values.rows?.split(',');
const results: Results = new Map();
const text = [machine()];
console.log(text[0]);
for (const row of ROWS) {
  if (wanted !== undefined && !wanted.some((name) => row.name.startsWith(name))) continue;
  results.set(row.name, await measure(row));
  const lines = linesOf(row, results).join('\n');
  text.push(lines);
  console.log(lines);
}
if (wanted === undefined && values.only === undefined && values.baseline === undefined)
  writeFileSync(`${resultsDirectory}table.md`, text.join('\n'));
const missed = ROWS.flatMap((row) => checksOf(row, results)).filter(({ isMet }) => !isMet);
console.log(missed.length === 0 ? 'Every target is met.' : `${missed.length} targets are missed.`);

/** Every round measures all entrants in turn, so that other load of the machine affects all of them. */
async function measure(row: Row) {
  const entrants = entrantsOf(row);
  const prepared = [];
  for (const entrant of entrants) {
    prepared.push({ entrant, ...(await row.prepare(entrant, seconds)), figures: [] as Figures[] });
  }
  for (let i = 0; i < rounds; i++) {
    for (const { round, figures } of prepared) {
      figures.push(await round());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  await Promise.all(prepared.map(({ stop }) => stop()));
  return new Map(prepared.map(({ entrant, figures }) => [entrant.name, summarize(figures)]));
}

/** All entrants, those of `--only`, or with `--baseline` this checkout and the other one. */
function entrantsOf(row: Row): readonly Entrant[] {
  if (values.baseline !== undefined) {
    return [OURS, { ...OURS, name: 'baseline', build: join(values.baseline, 'bench/build') }];
  }
  const only = values.only?.split(',');
  return only === undefined ? row.entrants : row.entrants.filter(({ name }) => only.includes(name));
}

function machine(): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return (
    `${cpus().length} × ${cpu?.model}, ${memory} GB, Linux ${release()}, Node ${process.version}; ` +
    `${rounds} rounds of ${seconds} s, medians.\n`
  );
}
