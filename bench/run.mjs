// Installs the peers if they are missing, compiles the bench against the library's dist/, and runs it.
// Usage: npm run bench -- [--rows broadcast,requests] [--rounds 5] [--seconds 2] [--growth] [--profile]
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

function run(program, args, options = {}) {
  const { status } = spawnSync(program, args, { stdio: 'inherit', ...options });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(here('node_modules/@nestjs/platform-socket.io'))) run('npm', ['ci'], { cwd: here('.') });
if (!existsSync(here('../dist/index.js'))) run('npm', ['run', 'build'], { cwd: here('..') });

// The bench uses the library as an app does, by its name. The link is to the repository itself: one copy of Nest.
const link = here('node_modules/nestjs-realtime');
rmSync(link, { force: true });
symlinkSync(here('..'), link, 'dir');

rmSync(here('build'), { recursive: true, force: true });
run(process.execPath, [here('../node_modules/typescript/bin/tsc'), '-p', here('tsconfig.json')]);
run(process.execPath, [here('build/main.js'), ...process.argv.slice(2)]);
