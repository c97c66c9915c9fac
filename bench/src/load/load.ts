// The load generator, in its own process: connects, sends requests, counts, and reports its share of a core.
import { connect, type Socket } from 'node:net';
import { serveRequests } from '../child-requests.js';
import { nowMicros } from '../venue.js';
import { wireFormatNamed, type WireFormatName } from './wire-format.js';
import { clientFrame } from './frame-reader.js';
import { RawClient, type OnMessages } from './raw-client.js';

interface Target {
  /** Clients are distributed over these. */
  readonly ports: readonly number[];
  readonly driver: number;
  readonly wireFormat: WireFormatName;
}

/** The duration, the messages of one tick, and how many ticks run at a time. */
export interface Ticks {
  readonly seconds: number;
  readonly perTick: number;
  readonly receivers: number;
  readonly underWay?: number;
}

export interface Measured {
  /** Frames received. */
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

serveRequests({
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

/** Connects up to that many clients; resolves with the seconds it took. */
async function connectMany(count: number, rooms = 1): Promise<Measured> {
  const wireFormat = wireFormatNamed(target.wireFormat);
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
          wireFormat,
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

/** Checks that the entrant replies correctly. */
function check(): Promise<void> {
  const wireFormat = wireFormatNamed(target.wireFormat);
  const client = clients[0] as RawClient;
  return new Promise((resolve, reject) => {
    client.onText = (text) => {
      client.onText = undefined;
      if (wireFormat.isReply(text, 77)) resolve();
      else reject(new Error(`not the expected reply: ${text}`));
    };
    client.write(clientFrame(wireFormat.request(77)));
  });
}

/** Makes the server send tick after tick; starts the next one when the oldest running one has been received in full. */
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

/** Keeps that many requests of every connection in flight. */
function requests({ seconds, inFlight }: { seconds: number; inFlight: number }) {
  const latencies: number[] = [];
  const { request } = wireFormatNamed(target.wireFormat);
  const frames = Array.from({ length: 256 }, (_, i) => clientFrame(request(100_000 + i)));
  // Requests after one read are sent in one write, so that the generator is not the limit.
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
