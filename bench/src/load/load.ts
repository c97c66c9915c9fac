// The load generator: a process of its own that connects, asks, counts, and says what share of a core it took.
import { connect, type Socket } from 'node:net';
import { answer } from '../questions.js';
import { nowMicros } from '../venue.js';
import { dialectOf, type DialectName } from './dialect.js';
import { clientFrame } from './frame-reader.js';
import { RawClient, type OnMessages } from './raw-client.js';

interface Target {
  /** Clients are dealt out over these. */
  readonly ports: readonly number[];
  readonly driver: number;
  readonly dialect: DialectName;
}

/** How long, and what comes of one tick; so many ticks are under way at a time. */
export interface Ticks {
  readonly seconds: number;
  readonly perTick: number;
  readonly receivers: number;
  readonly underWay?: number;
}

export interface Measured {
  /** Frames that came. */
  readonly count: number;
  readonly seconds: number;
  /** CPU time of this process over wall time. */
  readonly share: number;
  /** Milliseconds. */
  readonly latencies: { readonly p50: number; readonly p99: number; readonly p999: number };
}

const CONNECTING_AT_ONCE = 64;

let target: Target;
let clients: RawClient[] = [];
let driver: Socket | undefined;

answer({
  async target(given: Target) {
    target = given;
    driver?.destroy();
    driver = connect({ port: given.driver, host: '127.0.0.1', noDelay: true });
    await new Promise((resolve) => driver?.once('connect', resolve));
  },
  connect: (options: { count: number; rooms?: number }) => connectMany(options.count, options.rooms),
  disconnect() {
    for (const client of clients) client.destroy();
    clients = [];
  },
  check,
  broadcast: (options: Ticks) => broadcast(options),
  requests: (options: { seconds: number; inFlight: number }) => requests(options),
});

/** Connects until there are so many; resolves with the seconds it took. */
async function connectMany(count: number, rooms = 1): Promise<Measured> {
  const dialect = dialectOf(target.dialect);
  const latencies: number[] = [];
  const first = clients.length;
  return measured(latencies, async () => {
    let next = first;
    async function one(): Promise<void> {
      while (next < first + count) {
        const i = next++;
        const startedAt = performance.now();
        const client = new RawClient(
          target.ports[i % target.ports.length] as number,
          dialect,
          `user-${i}`,
          `venue:${1 + (i % rooms)}`,
        );
        clients[i] = client;
        await client.ready();
        latencies.push(performance.now() - startedAt);
      }
    }
    await Promise.all(Array.from({ length: Math.min(count, CONNECTING_AT_ONCE) }, one));
    return count;
  });
}

/** Makes sure that the contender does the work at all. */
function check(): Promise<void> {
  const dialect = dialectOf(target.dialect);
  const client = clients[0] as RawClient;
  return new Promise((resolve, reject) => {
    client.onText = (text) => {
      client.onText = undefined;
      if (dialect.isReply(text, 77)) resolve();
      else reject(new Error(`not the reply expected: ${text}`));
    };
    client.write(clientFrame(dialect.request(77)));
  });
}

/** Has the server send, tick after tick, and begins the next one when everything of the oldest under way has come. */
function broadcast({ seconds, perTick, receivers, underWay = 1 }: Ticks) {
  const latencies: number[] = [];
  const perRound = perTick * receivers;
  return measured(latencies, () => {
    let count = 0;
    let due = perRound;
    let asked = 0;
    return new Promise<number>((resolve) => {
      const endsAt = performance.now() + seconds * 1_000;
      const sentAt: number[] = [];
      const ask = () => {
        asked += perRound;
        sentAt.push(nowMicros());
        driver?.write('.');
      };
      const onMessages: OnMessages = (_client, messages) => {
        count += messages;
        while (count >= due) {
          latencies.push((nowMicros() - (sentAt.shift() as number)) / 1_000);
          due += perRound;
          if (performance.now() < endsAt) ask();
        }
        if (count >= asked) resolve(count);
      };
      for (const client of clients) client.onMessages = onMessages;
      for (let i = 0; i < underWay; i++) ask();
    });
  });
}

/** Keeps so many requests of every connection unanswered. */
function requests({ seconds, inFlight }: { seconds: number; inFlight: number }) {
  const latencies: number[] = [];
  const { request } = dialectOf(target.dialect);
  const frames = Array.from({ length: 256 }, (_, i) => clientFrame(request(100_000 + i)));
  // Requests that one read has made room for leave together: the generator must not be what costs.
  const together = (first: number, count: number) =>
    Buffer.concat(Array.from({ length: count }, (_, i) => frames[(first + i) & 255] as Buffer));
  const batches = Array.from({ length: inFlight + 1 }, (_, count) =>
    Array.from({ length: 32 }, (__, i) => together(i * 8, count)),
  );
  return measured(latencies, () => {
    let count = 0;
    let next = 0;
    return new Promise<number>((resolve) => {
      const endsAt = performance.now() + seconds * 1_000;
      const ask = (client: RawClient, messages: number) =>
        client.write(batches[messages]?.[next++ & 31] ?? together(0, messages));
      const onMessages: OnMessages = (client, messages) => {
        const now = performance.now();
        count += messages;
        if (inFlight === 1) latencies.push(now - client.sentAt);
        if (now >= endsAt) {
          resolve(count);
          return;
        }
        client.sentAt = now;
        ask(client, messages);
      };
      for (const client of clients) {
        client.onMessages = onMessages;
        client.sentAt = performance.now();
        ask(client, inFlight);
      }
    });
  });
}

async function measured(latencies: number[], work: () => Promise<number>): Promise<Measured> {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  const count = await work();
  const wall = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(share * latencies.length)] ?? 0;
  return {
    count,
    seconds: wall / 1_000,
    share: (user + system) / 1_000 / wall,
    latencies: { p50: at(0.5), p99: at(0.99), p999: at(0.999) },
  };
}
