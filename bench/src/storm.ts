import { BARE_WS, TestSetup, NEST_IO, NEST_WS, OURS, UWS, type Entrant, type Figures } from './test-setup.js';
import { median } from './median.js';
import type { Row } from './row.js';

const CLIENTS = 1_500;
// One batch ends before a garbage collection, so a round has several.
const VOLLEYS = 4;

/** Clients that all connect at once, to a server with that many rooms. */
export function stormRow(rooms: number): Row {
  return {
    name: `storm-${rooms}-rooms`,
    title: `Storm: accepted, authenticated, joined one of ${rooms.toLocaleString('en')} rooms`,
    unit: 'per CPU second',
    entrants: rooms === 10 ? [OURS, BARE_WS, NEST_WS, NEST_IO, UWS] : [OURS, BARE_WS],
    bars: [{ peer: BARE_WS.name, factor: 0.6 }],
    prepare: storm(rooms),
  };
}

function storm(rooms: number) {
  return async (entrant: Entrant) => {
    const setup = await TestSetup.start(entrant);
    const volley = async () => {
      const figures = await setup.connect(CLIENTS, rooms);
      await setup.disconnect();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return figures;
    };
    const round = async () => {
      const volleys: Figures[] = [];
      for (let i = 0; i < VOLLEYS; i++) volleys.push(await volley());
      return together(volleys);
    };
    await round();
    return { round, stop: () => setup.stop() };
  };
}

/** The pauses between batches, in which the sockets of the last one close, are not measured. */
function together(volleys: readonly Figures[]): Figures {
  const sum = (figure: (volley: Figures) => number) =>
    volleys.reduce((total, volley) => total + figure(volley), 0);
  const count = sum((volley) => volley.count);
  const seconds = sum((volley) => volley.seconds);
  return {
    count,
    seconds,
    share: sum((volley) => volley.share * volley.seconds) / seconds,
    latencies: {
      p50: median(volleys.map(({ latencies }) => latencies.p50)),
      p99: median(volleys.map(({ latencies }) => latencies.p99)),
      p999: median(volleys.map(({ latencies }) => latencies.p999)),
    },
    perCpuSecond: count / sum((volley) => volley.count / volley.perCpuSecond),
    perSecond: count / seconds,
  };
}
