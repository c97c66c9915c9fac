// Clients in their own process: each connects to the other node at the advised time, and stays until it is closed.
import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { WebSocket } from 'ws';
import { upgradeText } from '../../rig/sockets/client-bytes.js';
import { onRequest, send } from '../../rig/process/forked-process.js';
import { numberArgument } from '../checks.js';
import type { Outcome } from './protocol.js';

const count = numberArgument('connections', 5_000);
const from = numberArgument('from', 0);
const to = numberArgument('to', 0);
const AT_A_TIME = 100;
/** One in ten has a request in flight when the node begins to drain. */
const BUSY_SHARE = 10;

const codes: Record<string, number> = {};
const triedAfterMs: number[] = [];
let back = 0;
const advisedMs: number[] = [];
let inFlight = 0;
let answered = 0;
let firstGoaway = 0;

const sockets: WebSocket[] = [];
const moved: Promise<void>[] = [];
while (sockets.length < count) {
  const batch = Array.from({ length: Math.min(AT_A_TIME, count - sockets.length) }, () => connect(from));
  sockets.push(...(await Promise.all(batch)));
}
for (const socket of sockets) moved.push(follow(socket));
send('connected', sockets.length);

onRequest('ask', () => {
  for (let i = 0; i < sockets.length; i += BUSY_SHARE) {
    inFlight++;
    sockets[i]?.send(JSON.stringify({ type: 'work', id: i, payload: { takesMs: 500 } }));
  }
});
onRequest('outcome', async (): Promise<Outcome> => {
  await Promise.all(moved);
  setTimeout(() => process.exit(0), 100);
  return { goaways: advisedMs.length, codes, inFlight, answered, back, triedAfterMs, advisedMs };
});

async function connect(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { perMessageDeflate: false });
  await once(socket, 'message');
  return socket;
}

async function follow(socket: WebSocket): Promise<void> {
  let isBack: Promise<void> = Promise.resolve();
  socket.on('message', (data) => {
    const { type, payload } = JSON.parse(String(data)) as {
      type: string;
      payload: { reconnectAfterMs: number };
    };
    if (type === '$reply') answered++;
    if (type === '$goaway') isBack = comeBack(payload.reconnectAfterMs);
  });
  const [code] = (await once(socket, 'close')) as [number];
  codes[code] = (codes[code] ?? 0) + 1;
  await isBack;
}

async function comeBack(reconnectAfterMs: number): Promise<void> {
  firstGoaway ||= performance.now();
  advisedMs.push(reconnectAfterMs);
  await new Promise((resolve) => setTimeout(resolve, reconnectAfterMs));
  triedAfterMs.push(performance.now() - firstGoaway);
  // Hand-written: a thousand `ws` clients a second would make this process late.
  const socket = dial(to, '127.0.0.1');
  socket.write(upgradeText('/ws'));
  let read = '';
  while (!read.includes('$hello')) read += String(((await once(socket, 'data')) as [Buffer])[0]);
  back++;
}
