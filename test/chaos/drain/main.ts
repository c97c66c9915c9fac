// npm run drain -- --connections 5000
import { ForkedProcess } from '../../rig/process/forked-process.js';
import { numberArgument, percentile, Checks } from '../checks.js';
import type { Outcome } from './protocol.js';

const connections = numberArgument('connections', 5_000);
// The defaults of the option `drain`.
const RECONNECTS_PER_SECOND = 1_000;
const DEADLINE_MS = 20_000;
const BINS = 20;
const LATE_MS = numberArgument('late-ms', 1_000);
const BAR = 60;

const inFile = (name: string) => new URL(name, import.meta.url);
const [leaving, staying] = [
  new ForkedProcess(inFile('./server.ts')),
  new ForkedProcess(inFile('./server.ts')),
];
const [from, to] = await Promise.all([leaving.next<number>('listening'), staying.next<number>('listening')]);
const clients = new ForkedProcess(inFile('./clients.ts'), [
  ...['--connections', `${connections}`, '--from', `${from}`, '--to', `${to}`],
]);
await clients.next('connected');
console.log(`${await leaving.request<number>('connections')} connections on the node that gets SIGTERM`);
await clients.request('ask');

const signalledAt = performance.now();
const outcome = clients.request<Outcome>('outcome');
leaving.signal('SIGTERM');
const { code, signal } = await leaving.exited;
const exitMs = performance.now() - signalledAt;
const { goaways, codes, inFlight, answered, back, triedAfterMs, advisedMs } = await outcome;
const arrived = await staying.request<number>('connections');
staying.signal('SIGTERM');
await Promise.all([staying.exited, clients.exited]);

const windowMs = (connections / RECONNECTS_PER_SECOND) * 1_000;
console.log(`saw $goaway: ${goaways}, closed with ${JSON.stringify(codes)}`);
console.log(`requests in flight at the signal: ${inFlight}, answered: ${answered}`);
console.log(`exit after ${exitMs.toFixed(0)} ms with ${signal ?? code}; deadline ${DEADLINE_MS} ms`);
console.log(`back on the other node: ${back}, ${arrived} connections there`);
console.log(`\nwhen clients connected there, over the advised window of ${windowMs} ms`);
const bins = histogram(triedAfterMs);
const most = Math.max(...bins);
bins.forEach((amount, bin) => {
  const at = `${((bin * windowMs) / BINS).toFixed(0)} ms`.padStart(9);
  console.log(`${at}  ${'█'.repeat(Math.round((amount / most) * BAR))} ${amount}`);
});

const checks = new Checks();
console.log();
checks.check(goaways === connections, 'every client saw $goaway');
checks.check(codes['1012'] === connections, 'every client was closed with 1012, none with 1006');
checks.check(answered === inFlight, 'every request in flight got a reply');
checks.check(
  exitMs < DEADLINE_MS && signal === 'SIGTERM',
  'the process exited by its signal within the deadline',
);
checks.check(back === connections, 'every client is back on the other node');
checks.check(Math.max(...advisedMs) <= windowMs, 'no client was advised a time beyond the window');
// Evenly spread, a tenth of the window takes a tenth of the clients. Measured on the advised times, not on a busy machine.
const tenths = histogram(advisedMs, 10);
checks.check(
  tenths.every((amount) => amount > connections / 20 && amount < connections / 5),
  'the advised times are spread evenly: each tenth of the window has half to twice its share',
);
checks.check(
  percentile(triedAfterMs, 0.99) < windowMs + LATE_MS,
  `clients connected at the advised time, within ${LATE_MS} ms`,
);
process.exitCode = checks.exitCode;

function histogram(times: readonly number[], size = BINS): number[] {
  const bins = Array.from({ length: size }, () => 0);
  for (const time of times) {
    const bin = Math.min(size - 1, Math.floor((time / windowMs) * size));
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  return bins;
}
