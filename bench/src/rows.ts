import {
  BARE_WRITE,
  BARE_WS,
  TestSetup,
  NEST_IO,
  NEST_WS,
  OURS,
  startRedis,
  UWS,
  type Entrant,
  type Figures,
} from './test-setup.js';
import type { Row } from './row.js';
import { stormRow } from './storm.js';

const RECEIVERS = 1_000;
const ASKERS = 100;
const USERS = 500;
const IDLE = 8_000;

function broadcast(perTick: number) {
  return async (entrant: Entrant, seconds: number) => {
    const setup = await TestSetup.start(entrant);
    await setup.connect(RECEIVERS);
    await setup.tick({ kind: 'broadcast', messages: perTick });
    const round = (time: number) => setup.broadcast({ seconds: time, perTick, receivers: RECEIVERS });
    await round(1);
    return { round: () => round(seconds), stop: () => setup.stop() };
  };
}

function requests(inFlight: number) {
  return async (entrant: Entrant, seconds: number) => {
    const setup = await TestSetup.start(entrant);
    await setup.connect(ASKERS);
    await setup.check();
    await setup.requests({ seconds: 1.5, inFlight });
    return { round: () => setup.requests({ seconds, inFlight }), stop: () => setup.stop() };
  };
}

const TOGETHER = 100;

export const CLASSIC: Entrant = { ...NEST_IO, name: 'socket.io classic', options: { adapter: 'classic' } };
export const SHARDED: Entrant = { ...NEST_IO, name: 'socket.io sharded', options: { adapter: 'sharded' } };

/** One node sends to the users of another one in turn: 100 per tick, with that many ticks in flight. */
export async function acrossNodes(entrant: Entrant, underWay: number) {
  const redis = await startRedis();
  const setup = await TestSetup.start(entrant, 2, { redisPort: redis.port });
  await setup.connect(USERS);
  await setup.tick({ kind: 'users', messages: TOGETHER, users: USERS });
  const round = (seconds: number) => setup.broadcast({ seconds, perTick: TOGETHER, receivers: 1, underWay });
  await round(1);
  return {
    round,
    async stop() {
      await setup.stop();
      redis.stop();
    },
  };
}

function acrossNodesRow(name: string, what: string, underWay: number, factor?: number): Row {
  return {
    name: `across-nodes-${name}`,
    title: `sendToUser from one node to 500 users on another, through Redis: ${what}`,
    unit: 'per CPU second',
    entrants: [OURS, CLASSIC, SHARDED],
    bars: factor === undefined ? [] : [CLASSIC, SHARDED].map(({ name: peer }) => ({ peer, factor })),
    async prepare(entrant, seconds) {
      const { round, stop } = await acrossNodes(entrant, underWay);
      return { round: () => round(seconds), stop };
    },
  };
}

/** Each round is a new process, since a heap keeps its size once it has grown. */
async function idleMemory(entrant: Entrant) {
  return {
    async round(): Promise<Figures> {
      const setup = await TestSetup.start(entrant);
      await setup.connect(500);
      const before = await setup.memory();
      const figures = await setup.connect(IDLE, 100);
      const after = await setup.memory();
      await setup.stop();
      return {
        ...figures,
        perCpuSecond: (after.rss - before.rss) / IDLE,
        perSecond: (after.heapUsed - before.heapUsed) / IDLE,
      };
    },
    stop: async () => {},
  };
}

export const ROWS: readonly Row[] = [
  {
    name: 'broadcast-1',
    title: 'Broadcast to 1,000 connections, 1 message per tick',
    unit: 'per CPU second',
    entrants: [OURS, BARE_WS, NEST_IO, BARE_WRITE, UWS],
    bars: [
      { peer: BARE_WS.name, factor: 1.25 },
      { peer: NEST_IO.name, factor: 1.7 },
    ],
    prepare: broadcast(1),
  },
  {
    name: 'broadcast-8',
    title: 'Broadcast to 1,000 connections, 8 messages per tick',
    unit: 'per CPU second',
    entrants: [OURS, BARE_WS, NEST_IO, UWS],
    bars: [
      { peer: BARE_WS.name, factor: 6 },
      { peer: UWS.name, factor: 4, row: 'broadcast-1' },
    ],
    prepare: broadcast(8),
  },
  {
    name: 'requests-8',
    title: 'Request, typed validated guarded handler, reply; 8 in flight on 100 connections',
    unit: 'per CPU second',
    entrants: [OURS, BARE_WS, NEST_WS, NEST_IO, UWS],
    bars: [
      { peer: BARE_WS.name, factor: 1.3 },
      { peer: NEST_WS.name, factor: 3 },
    ],
    prepare: requests(8),
  },
  {
    name: 'requests-1',
    title: 'The same, one in flight',
    unit: 'per CPU second',
    entrants: [OURS, BARE_WS, NEST_WS, NEST_IO, UWS],
    bars: [
      { peer: BARE_WS.name, factor: 0.85 },
      { peer: NEST_WS.name, factor: 2.2 },
    ],
    prepare: requests(1),
  },
  acrossNodesRow('stream', 'unthrottled, 2,000 in flight', 20, 4),
  acrossNodesRow('lone', '100 at a time, nothing else in flight', 1),
  {
    name: 'memory',
    title: 'Resident bytes per idle connection, 8,000 of them in 100 rooms, heartbeats on',
    unit: 'bytes',
    entrants: [OURS, BARE_WS, NEST_WS, NEST_IO, UWS],
    bars: [],
    atMost: 8_192,
    prepare: idleMemory,
  },
  stormRow(10),
  stormRow(100),
  stormRow(1_000),
  stormRow(10_000),
];
