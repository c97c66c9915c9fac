// `RealtimeClient`s in their own process; each sends a request once a second.
import { WebSocket } from 'ws';
import { RealtimeClient, RequestError, type WebSocketConstructor } from '../../../lib/client/index.js';
import { onRequest, send } from '../../rig/process/forked-process.js';
import { numberArgument } from '../checks.js';
import type { ledger, Newcomer, Standing } from './protocol.js';

const count = numberArgument('clients', 200);
const ports = [numberArgument('first-port', 0), numberArgument('second-port', 0)] as const;
const everyMs = numberArgument('every-ms', 1_000);
/** The first token of each client expires at a time between these, in milliseconds from its connecting. */
const [expiresFromMs, expiresToMs] = [
  numberArgument('expires-from-ms', 0),
  numberArgument('expires-to-ms', 0),
];
const LATER_MS = 600_000;
const BATCH = 50;

type Client = RealtimeClient<typeof ledger>;

const answered: string[] = [];
const failed: Record<string, number> = {};
const marks = new Map<Client, string>();
let requested = 0;
let unsettled = 0;
let attempts: number[] = [];
let attemptsSince = Math.floor(performance.now() / 1_000);

/** Acts as a load balancer: each attempt goes to the next node. */
let turn = 0;
function address(): string {
  const second = Math.floor(performance.now() / 1_000) - attemptsSince;
  attempts[second] = (attempts[second] ?? 0) + 1;
  return `ws://127.0.0.1:${ports[turn++ % ports.length]}/ws`;
}

function clientOf(userId: string, firstLivesMs: number): Client {
  const firstExpiresAt = Date.now() + firstLivesMs;
  // Before its first token expires, a client gets no token that is valid for longer.
  const token = () => {
    const now = Date.now();
    return `${userId}.${Math.round(now < firstExpiresAt ? firstExpiresAt : now + LATER_MS)}`;
  };
  const client: Client = new RealtimeClient(address, {
    token,
    WebSocket: WebSocket as unknown as WebSocketConstructor,
  });
  client.on('mark', ({ key }) => marks.set(client, key));
  return client;
}

async function ask(client: Client): Promise<void> {
  const key = `${requested++}`;
  unsettled++;
  try {
    await client.request('count', { key });
    answered.push(key);
  } catch (error) {
    const code = error instanceof RequestError ? error.code : `untyped ${String(error)}`;
    failed[code] = (failed[code] ?? 0) + 1;
  } finally {
    unsettled--;
  }
}

const clients: Client[] = [];
const paces: NodeJS.Timeout[] = [];
async function add(client: Client): Promise<void> {
  await client.connect();
  clients.push(client);
  paces.push(setInterval(() => void ask(client), everyMs));
}

onRequest('connect', async () => {
  while (clients.length < count) {
    const batch = Array.from({ length: Math.min(BATCH, count - clients.length) }, (_, i) =>
      clientOf(`u${clients.length + i}`, expiresFromMs + Math.random() * (expiresToMs - expiresFromMs)),
    );
    await Promise.all(batch.map(add));
  }
});
onRequest('newcomer', async (userId: string): Promise<Newcomer> => {
  const begun = performance.now();
  const client = clientOf(userId, LATER_MS);
  await add(client);
  const connectedMs = performance.now() - begun;
  await ask(client);
  return { connectedMs, answeredMs: performance.now() - begun - connectedMs };
});
onRequest('attempts', () => {
  const seen = Array.from(attempts, (amount) => amount ?? 0);
  attempts = [];
  attemptsSince = Math.floor(performance.now() / 1_000);
  return seen;
});
onRequest('standing', (mark: string): Standing => ({
  clients: clients.length,
  connected: clients.filter(({ state }) => state.status === 'connected').length,
  closed: clients.filter(({ state }) => state.status === 'closed').length,
  marked: clients.filter((client) => marks.get(client) === mark).length,
  requested,
  unsettled,
  answered,
  failed,
}));
onRequest('stop', async () => {
  for (const pace of paces) clearInterval(pace);
});
onRequest('leave', () => {
  for (const client of clients) client.close();
  setTimeout(() => process.exit(0), 200);
});
send('ready', null);
