// Simulates the rules without sockets, as on an idle machine. Takes a second at any load.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { printTable } from './table.mjs';
import { rules } from './rules.mjs';

const CLIENTS = Number(process.env.CLIENTS ?? 2_000);
const DOWN_MS = Number(process.env.DOWN_MS ?? 3_000);

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('../../lib/client/backoff.ts', import.meta.url))],
  bundle: true,
  write: false,
  format: 'esm',
});
const { Backoff } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
const DEFAULTS = { minRetryMs: 500, maxRetryMs: 20_000, firstRetrySpreadMs: 5_000, stableAfterMs: 30_000 };

function ours() {
  const backoff = new Backoff({ ...DEFAULTS, random: Math.random });
  return (n) => {
    const delay = n === 0 ? backoff.afterLoss(60_000) : backoff.afterFailure();
    backoff.attempt++;
    return delay;
  };
}

function measure(rule, makeRule) {
  const attempts = [];
  const backs = [];
  for (let i = 0; i < CLIENTS; i++) {
    const delayBefore = makeRule();
    let at = 0;
    for (let n = 0; ; n++) {
      const delay = delayBefore(n);
      if (delay === undefined) break;
      at += delay;
      attempts.push(at);
      if (at < DOWN_MS) continue;
      backs.push(at);
      break;
    }
  }
  return { rule, attempts, backs };
}

const results = Object.entries({ ours, ...rules }).map(([rule, makeRule]) => measure(rule, makeRule));
console.log(`\n${CLIENTS} clients, the server down for ${DOWN_MS} ms, simulated`);
printTable(results, CLIENTS);
