// One process with all clients of one rule. Reports to its parent when all are connected, and the results at the end.
import { WebSocket } from 'ws';
import { rules } from './rules.mjs';

const [rule, url, count, limitMs] = process.argv.slice(2);
const total = Number(count);
const attempts = [];
const backs = [];
let lostAt;
let connected = 0;

/** Counts every connection attempt. */
class CountedSocket extends WebSocket {
  constructor(...args) {
    super(...args);
    if (lostAt !== undefined) attempts.push(performance.now() - lostAt);
  }
}

function isConnected() {
  if (lostAt !== undefined) backs.push(performance.now() - lostAt);
  else if (++connected === total) process.send({ event: 'connected' });
  if (backs.length >= total * 0.99) report();
}

function isLost() {
  lostAt ??= performance.now();
}

function plainClient() {
  const delayBefore = rules[rule]();
  let n = 0;
  const connect = () => {
    const socket = new CountedSocket(url);
    socket.on('error', () => undefined);
    socket.on('open', () => {
      n = 0;
      isConnected();
    });
    socket.on('close', () => {
      if (connected < total) return setTimeout(connect, 100);
      isLost();
      const delay = delayBefore(n++);
      if (delay !== undefined) setTimeout(connect, delay);
    });
  };
  connect();
}

async function ourClient() {
  const { CoreClient } = await import(process.env.CLIENT_BUNDLE);
  const client = new CoreClient(url, { WebSocket: CountedSocket });
  client.onStateChange(({ status }) => {
    if (status === 'connected') isConnected();
    else if (status === 'reconnecting') isLost();
  });
  void client.connect();
}

let hasReported = false;
function report() {
  if (hasReported) return;
  hasReported = true;
  process.send({ event: 'done', attempts, backs }, () => process.exit(0));
}

process.on('message', () => setTimeout(report, Number(limitMs)));
// In several ticks, since only the reconnects after the restart are measured.
for (let i = 0; i < total; i++) setTimeout(rule === 'ours' ? ourClient : plainClient, i);
