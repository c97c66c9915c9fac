// Runs a start command on a free port until it prints its address, requests /health and /, and stops it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const DEADLINE_MS = 300_000;
const [command] = process.argv.slice(2);

// In its own process group, so that one signal reaches npm, its shell and the server.
const started = spawn('bash', ['-c', command], {
  detached: true,
  env: { ...process.env, PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const exited = once(started, 'exit');
const deadline = setTimeout(() => stop('SIGKILL'), DEADLINE_MS);

try {
  const address = await printedAddress();
  for (const path of ['/health', '/']) {
    const { status } = await fetch(new URL(path, address), { signal: AbortSignal.timeout(10_000) });
    console.log(`GET ${path} ${status}`);
    if (status !== 200) process.exitCode = 1;
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  stop('SIGTERM');
  await exited;
  clearTimeout(deadline);
}

async function printedAddress() {
  for await (const line of createInterface({ input: started.stdout })) {
    console.log(line);
    const address = /https?:\/\/\S+:\d+/.exec(line);
    if (address) return address[0];
  }
  throw new Error(`"${command}" ended before it printed an address.`);
}

function stop(signal) {
  try {
    process.kill(-Number(started.pid), signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
