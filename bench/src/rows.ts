import {
  BARE_WRITE,
  BARE_WS,
  Bout,
  NEST_IO,
  NEST_WS,
  OURS,
  startRedis,
  UWS,
  type Entrant,
  type Figures,
} from './bout.js';
import type { Row } from './row.js';
import { stormRow } from './storm.js';

const RECEIVERS = 1_000;
const ASKERS = 100;
const USERS = 500;
const IDLE = 8_000;

function broadcast(perTick: number) {
  return async (entrant: Entrant, seconds: number) => {
    const bout = await Bout.start(entrant);
    await bout.connect(RECEIVERS);
    await bout.tick({ kind: 'broadcast', messages: perTick });
    const round = (time: number) => bout.broadcast({ seconds: time, perTick, receivers: RECEIVERS });
    await round(1);
    return { round: () => round(seconds), stop: () => bout.stop() };
  };
}

function requests(inFlight: number) {
  return async (entrant: Entrant, seconds: number) => {
    const bout = await Bout.start(entrant);
    await bout.connect(ASKERS);
    await bout.check();
    await bout.requests({ seconds: 1.5, inFlight });
    return { round: () => bout.requests({ seconds, inFlight }), stop: () => bout.stop() };
  };
}

const TOGETHER = 100;

export const CLASSIC: Entrant = { ...NEST_IO, name: 'socket.io classic', options: { adapter: 'classic' } };
export const SHARDED: Entrant = { ...NEST_IO, name: 'socket.io sharded', options: { adapter: 'sharded' } };

/** One node sends, in turn, to users of another one: a hundred a tick, so many ticks under way. */
export async function acrossNodes(entrant: Entrant, underWay: number) {
  const redis = await startRedis();
  const bout = await Bout.start(entrant, 2, { redisPort: redis.port });
  await bout.connect(USERS);
  await bout.tick({ kind: 'users', messages: TOGETHER, users: USERS });
  const round = (seconds: number) => bout.broadcast({ seconds, perTick: TOGETHER, receivers: 1, underWay });
  await round(1);
  return {
    round,
    async stop() {
      await bout.stop();
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

/** Its rounds are processes of their own: what a heap has grown to once it keeps. */
async function idleMemory(entrant: Entrant) {
  return {
    async round(): Promise<Figures> {
      const bout = await Bout.start(entrant);
      await bout.connect(500);
      const before = await bout.memory();
      const figures = await bout.connect(IDLE, 100);
      const after = await bout.memory();
      await bout.stop();
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
  acrossNodesRow('stream', 'as fast as it goes, 2,000 under way', 20, 4),
  acrossNodesRow('lone', '100 at a time, nothing else under way', 1),
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
