// Attempts per second after the crash, the peak, and the time until 99 % are connected again, side by side.
const WIDTH = 12;
const SHOWN_SECONDS = 14;

function line(name, values) {
  console.log(name.padEnd(24) + values.map((value) => String(value).padStart(WIDTH)).join(''));
}

function perSlice(times, sliceMs) {
  const slices = [];
  for (const time of times) {
    const slice = Math.floor(time / sliceMs);
    slices[slice] = (slices[slice] ?? 0) + 1;
  }
  return slices;
}

const peak = (slices) => slices.reduce((most, count) => Math.max(most, count), 0);

function backAfter(backs, clients) {
  const needed = Math.ceil(clients * 0.99);
  if (backs.length < needed) return `${Math.floor((backs.length / clients) * 100)} % ever`;
  return `${(backs.toSorted((a, b) => a - b)[needed - 1] / 1_000).toFixed(1)} s`;
}

export function printTable(results, clients) {
  console.log('attempts per second after the crash\n');
  const seconds = results.map(({ attempts }) => perSlice(attempts, 1_000));
  line(
    'second',
    results.map(({ rule }) => rule.slice(0, WIDTH - 1)),
  );
  for (let second = 0; second < SHOWN_SECONDS; second++) {
    line(
      String(second),
      seconds.map((counts) => counts[second] ?? 0),
    );
  }
  console.log();
  line('peak per second', seconds.map(peak));
  line(
    'peak per 100 ms',
    results.map(({ attempts }) => peak(perSlice(attempts, 100))),
  );
  line(
    'attempts in all',
    results.map(({ attempts }) => attempts.length),
  );
  line(
    '99 % back after',
    results.map(({ backs }) => backAfter(backs, clients)),
  );
}
