// 2,000 real clients against a server that is killed and restarted: their connection attempts over time, by rule.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { rules } from './rules.mjs';
import { printTable } from './table.mjs';

const CLIENTS = Number(process.env.CLIENTS ?? 2_000);
const DOWN_MS = Number(process.env.DOWN_MS ?? 3_000);
const LIMIT_MS = 20_000;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const CLIENT_BUNDLE = here('../results/client.mjs');

async function prepareServer(port) {
  const server = fork(here('server.mjs'), [String(port)]);
  await once(server, 'message');
  return server;
}

async function listen(server) {
  const listening = once(server, 'message');
  server.send('listen');
  const [{ port }] = await listening;
  return port;
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function measure(rule) {
  const first = await prepareServer(0);
  const port = await listen(first);
  const second = await prepareServer(port);
  const args = [rule, `ws://127.0.0.1:${port}`, String(CLIENTS), String(LIMIT_MS)];
  const clients = fork(here('clients.mjs'), args, { env: { ...process.env, CLIENT_BUNDLE } });
  try {
    await once(clients, 'message');
    await stop(first);
    clients.send('lost');
    const done = once(clients, 'message');
    await new Promise((resolve) => setTimeout(resolve, DOWN_MS));
    await listen(second);
    const [{ attempts, backs }] = await done;
    return { rule, attempts, backs };
  } finally {
    await Promise.all([clients, first, second].map(stop));
  }
}

mkdirSync(here('../results'), { recursive: true });
await build({
  stdin: {
    contents: "export { CoreClient } from './lib/client/index.ts'",
    resolveDir: here('../..'),
    loader: 'ts',
  },
  bundle: true,
  format: 'esm',
  target: 'es2022',
  outfile: CLIENT_BUNDLE,
});
const results = [];
const chosen = process.env.RULES?.split(',') ?? ['ours', ...Object.keys(rules)];
for (const rule of chosen) {
  results.push(await measure(rule));
  console.error(`${rule}: measured`);
}
console.log(`\n${CLIENTS} clients, the server down for ${DOWN_MS} ms`);
printTable(results, CLIENTS);
writeFileSync(here('../results/reconnect.json'), JSON.stringify(results, null, 2));
