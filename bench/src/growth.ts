import { writeFileSync } from 'node:fs';
import { BARE_WS, TestSetup, OURS, startRedis, UWS, type Entrant, type Figures } from './test-setup.js';
import { plot, type Series } from './plot.js';
import { acrossNodes, CLASSIC, SHARDED } from './rows.js';
import { summarize } from './table.js';

/** How one cost grows: a parameter, and one round for each of its values. */
interface Growth {
  readonly name: string;
  readonly title: string;
  readonly axis: string;
  readonly values: readonly number[];
  readonly entrants: readonly Entrant[];
  prepare(
    entrant: Entrant,
    value: number,
  ): Promise<{ round(seconds: number): Promise<Figures>; stop(): unknown }>;
}

async function broadcasting(setup: TestSetup, receivers: number, padding = 0) {
  await setup.tick({ kind: 'broadcast', messages: 1, padding });
  const round = (seconds: number) => setup.broadcast({ seconds, perTick: 1, receivers });
  await round(1);
  return { round, stop: () => setup.stop() };
}

const GROWTHS: readonly Growth[] = [
  {
    name: 'connections',
    title: 'Broadcast: deliveries per CPU second',
    axis: 'connections',
    values: [100, 1_000, 10_000],
    entrants: [OURS, BARE_WS, UWS],
    async prepare(entrant, connections) {
      const setup = await TestSetup.start(entrant);
      await setup.connect(connections);
      return broadcasting(setup, connections);
    },
  },
  {
    name: 'rooms',
    title: 'A room of 1,000: deliveries per CPU second',
    axis: 'rooms of each connection',
    values: [1, 10, 100],
    entrants: [OURS, BARE_WS, UWS],
    async prepare(entrant, rooms) {
      const setup = await TestSetup.start(entrant);
      await setup.connect(1_000);
      await setup.joinAll(rooms);
      await setup.tick({ kind: 'room', messages: 1, room: 'room:0' });
      const round = (seconds: number) => setup.broadcast({ seconds, perTick: 1, receivers: 1_000 });
      await round(1);
      return { round, stop: () => setup.stop() };
    },
  },
  {
    name: 'payload',
    title: 'Broadcast to 500: deliveries per CPU second',
    axis: 'bytes of payload',
    values: [100, 1_000, 8_000, 64_000],
    entrants: [OURS, BARE_WS, UWS],
    async prepare(entrant, bytes) {
      const setup = await TestSetup.start(entrant);
      await setup.connect(500);
      return broadcasting(setup, 500, bytes - 100);
    },
  },
  {
    name: 'nodes',
    title: 'Broadcast to 1,000 over all nodes: deliveries per CPU second',
    axis: 'nodes',
    values: [1, 2, 3, 4],
    entrants: [OURS],
    async prepare(entrant, nodes) {
      const redis = await startRedis();
      const setup = await TestSetup.start(entrant, nodes, { redisPort: redis.port }, 'all');
      await setup.connect(1_000);
      const { round, stop } = await broadcasting(setup, 1_000);
      return { round, stop: () => stop().then(() => redis.stop()) };
    },
  },
  {
    name: 'under-way',
    title: 'sendToUser across two nodes: deliveries per CPU second',
    axis: 'messages in flight',
    values: [100, 500, 1_000, 2_000, 4_000],
    entrants: [OURS, CLASSIC, SHARDED],
    prepare: (entrant, messages) => acrossNodes(entrant, messages / 100),
  },
];

/** Measures how costs grow and draws each as an SVG. */
export async function measureGrowth(directory: string, rounds: number, seconds: number): Promise<void> {
  for (const { name, title, axis, values, entrants, prepare } of GROWTHS) {
    const series: Series[] = entrants.map((entrant) => ({ name: entrant.name, points: [] }));
    for (const value of values) {
      const prepared = [];
      for (const entrant of entrants)
        prepared.push({ ...(await prepare(entrant, value)), figures: [] as Figures[] });
      for (let n = 0; n < rounds; n++) {
        for (const { round, figures } of prepared) figures.push(await round(seconds));
      }
      for (const [i, { stop, figures }] of prepared.entries()) {
        await stop();
        const { median } = summarize(figures);
        const line = series[i] as Series;
        line.points.push([value, median]);
        console.log(`${name}: ${value} ${axis}: ${line.name} ${Math.round(median).toLocaleString('en')}`);
      }
    }
    writeFileSync(`${directory}growth-${name}.svg`, plot(title, axis, series));
  }
}
