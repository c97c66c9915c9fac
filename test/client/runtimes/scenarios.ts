// Runs in every runtime as it is: it imports nothing but the client and the types of the contract.
import {
  RealtimeClient,
  RequestError,
  type ConnectionState,
  type RealtimeClientOptions,
  type WebSocketConstructor,
} from '../../../lib/client/index.js';
import type { talk } from './talk.gateway.js';

/** What a scenario may do to the servers and the network. */
export interface Commands {
  ledger(): Promise<{ added: number[]; notes: number[]; slow: number[] }>;
  say(n: number): Promise<void>;
  ask(n: number): Promise<unknown>;
  forbid(): Promise<void>;
  reset(): Promise<void>;
  swallow(): Promise<void>;
  heal(): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
  expireTokens(): Promise<void>;
  slowBegun(): Promise<void>;
  endSlow(): Promise<void>;
  streamStopped(): Promise<void>;
  /** Drains a node and puts another in its place while news go out; how many there were. */
  replaceNode(newsAfter: number): Promise<number>;
}
export type Command = keyof Commands;

export interface World {
  readonly address: string;
  readonly WebSocket?: WebSocketConstructor;
  control<C extends Command>(command: C, argument?: number): Promise<Awaited<ReturnType<Commands[C]>>>;
}

type Client = RealtimeClient<typeof talk>;

// Short enough for a test; the rules are those of production.
const QUICK: RealtimeClientOptions = {
  minRetryMs: 10,
  maxRetryMs: 100,
  firstRetrySpreadMs: 50,
  connectTimeoutMs: 1_000,
  wakeTimeoutMs: 500,
};

async function withClient(
  { address, WebSocket }: World,
  options: RealtimeClientOptions,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  const injected = WebSocket === undefined ? {} : { WebSocket };
  const client = new RealtimeClient<typeof talk>(address, {
    token: () => 'good',
    ...QUICK,
    ...injected,
    ...options,
  });
  try {
    await client.connect();
    await use(client);
  } finally {
    client.close();
  }
}

function equal(actual: unknown, expected: unknown): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`Expected ${should}, got ${is}.`);
}

function until(client: Client, status: ConnectionState['status']): Promise<void> {
  return new Promise((resolve) => {
    const look = (state: ConnectionState) => {
      if (state.status !== status) return;
      stop();
      resolve();
    };
    const stop = client.onStateChange(look);
    look(client.state);
  });
}

async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof RequestError ? error.code : String(error);
  }
  return 'none';
}

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

/** By title: a fact about the client that holds wherever it runs. */
export const scenarios: Readonly<Record<string, (world: World) => Promise<void>>> = {
  'connects, asks, and reads replies and refusals': (world) =>
    withClient(world, {}, async (client) => {
      equal(client.state.status === 'connected' && client.state.userId, 'ann');
      equal(await client.request('add', { n: 7 }), { total: 1 });
      equal(await failure(client.request('refuse')), 'TABLE_TAKEN');
      const wrong = client.request('add', { n: 'seven' } as never);
      equal(await failure(wrong), 'VALIDATION_FAILED');
      equal(await client.send('note', { n: 1 }), 'sent');
      await client.request('add', { n: 8 });
      equal(await world.control('ledger'), { added: [7, 8], notes: [1], slow: [] });
    }),

  'reads a reply in parts and stops it by a break': (world) =>
    withClient(world, {}, async (client) => {
      const read: number[] = [];
      for await (const { n } of client.stream('count', { to: 3 })) read.push(n);
      equal(read, [1, 2, 3]);
      for await (const { n } of client.stream('count', { to: 1_000_000_000 })) if (n === 2) break;
      await world.control('streamStopped');
    }),

  'hears the server and answers it': (world) =>
    withClient(world, {}, async (client) => {
      const news = client.messages('news');
      client.onRequest('confirm', ({ n }) => ({ n: n * 2 }));
      for (const n of [1, 2]) await world.control('say', n);
      equal(
        [await news.next(), await news.next()],
        [1, 2].map((n) => ({ done: false, value: { n } })),
      );
      equal(await world.control('ask', 21), { n: 42 });
    }),

  'fetches a fresh token when the old one is refused, and closes when the same comes again': async (
    world,
  ) => {
    await world.control('expireTokens');
    const reasons: string[] = [];
    const token = ({ reason }: { reason: string }) => {
      reasons.push(reason);
      return reason === 'refused' ? 'better' : 'good';
    };
    await withClient(world, { token }, async () => equal(reasons, ['connect', 'refused']));
    const stubborn = withClient(world, { token: () => 'good' }, async () => undefined);
    equal(await failure(stubborn), 'ClosedError: The client is closed: 4401 the token was refused');
  },

  'is back after the server was killed, with what was asked and said meanwhile, in order': (world) =>
    withClient(world, {}, async (client) => {
      const away = until(client, 'reconnecting');
      await world.control('kill');
      await away;
      const notes = [1, 2, 3].map((n) => client.send('note', { n }));
      equal(await client.send('note', { n: 4 }, { whileAway: 'drop' }), 'dropped');
      const asked = client.request('add', { n: 5 });
      await world.control('start');
      equal(await asked, { total: 1 });
      equal(await Promise.all(notes), ['sent', 'sent', 'sent']);
      equal(await world.control('ledger'), { added: [5], notes: [1, 2, 3], slow: [] });
    }),

  'asks again after a reset, and the server does it once': (world) =>
    withClient(world, {}, async (client) => {
      const before = client.state.status === 'connected' && client.state.sessionId;
      const asked = client.request('slow', { n: 1 });
      await world.control('slowBegun');
      const away = until(client, 'reconnecting');
      await world.control('reset');
      await away;
      await until(client, 'connected');
      equal(client.state.status === 'connected' && client.state.sessionId, before);
      await world.control('endSlow');
      equal(await asked, { n: 1 });
      equal((await world.control('ledger')).slow, [1]);
    }),

  'notices a network that swallows everything, and is back when it is healed': (world) =>
    withClient(world, {}, async (client) => {
      const away = until(client, 'reconnecting');
      await world.control('swallow');
      await away;
      equal(client.state.status === 'reconnecting' && client.state.reason, 'no frame in time');
      const asked = client.request('add', { n: 1 });
      await world.control('heal');
      equal(await asked, { total: 1 });
      equal((await world.control('ledger')).added, [1]);
    }),

  'moves to another node on $goaway without being away, and hears everything once': (world) =>
    withClient(world, {}, async (client) => {
      const heard: number[] = [];
      const statuses: string[] = [];
      client.on('news', ({ n }) => heard.push(n));
      client.onStateChange(({ status }) => statuses.push(status));
      let isMoving = true;
      const replaced = world.control('replaceNode', 20).then((said) => {
        isMoving = false;
        return said;
      });
      const asked: number[] = [];
      while (isMoving) {
        asked.push(asked.length + 1);
        await client.request('add', { n: asked.length });
      }
      const said = await replaced;
      await client.request('add', { n: asked.length + 1 });
      equal(heard, upTo(said));
      equal(statuses, ['connected']);
      equal((await world.control('ledger')).added, upTo(asked.length + 1));
    }),

  'stays away when the server says so': (world) =>
    withClient(world, {}, async (client) => {
      const closed = until(client, 'closed');
      await world.control('forbid');
      await closed;
      equal(client.state, { status: 'closed', code: 4500, reason: 'disconnected by the server' });
      equal(await failure(client.request('add', { n: 1 })), 'CLOSED');
    }),
};
