// Installs the peers if they are missing, compiles the bench against the library's dist/, and runs it.
// Usage: npm run bench -- [--rows broadcast,requests] [--rounds 5] [--seconds 2] [--growth] [--profile]
//        npm run bench -- --baseline ../other-checkout    this checkout and another one, in turns
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

function run(program, args, options = {}) {
  const { status } = spawnSync(program, args, { stdio: 'inherit', ...options });
  if (status !== 0) process.exit(status ?? 1);
}

/** Builds `bench/build` of a checkout, against that checkout's library. */
function build(checkout) {
  const bench = join(checkout, 'bench');
  if (!existsSync(join(checkout, 'node_modules'))) run('npm', ['ci'], { cwd: checkout });
  if (!existsSync(join(bench, 'node_modules/@nestjs/platform-socket.io'))) run('npm', ['ci'], { cwd: bench });
  if (!existsSync(join(checkout, 'dist/index.js'))) run('npm', ['run', 'build'], { cwd: checkout });

  // The bench imports the library by name, as an app does. The link to the repository keeps one copy of Nest.
  const link = join(bench, 'node_modules/nestjs-realtime');
  rmSync(link, { force: true });
  symlinkSync(checkout, link, 'dir');

  rmSync(join(bench, 'build'), { recursive: true, force: true });
  const tsc = join(checkout, 'node_modules/typescript/bin/tsc');
  run(process.execPath, [tsc, '-p', join(bench, 'tsconfig.json')]);
  return join(bench, 'build/main.js');
}

const args = process.argv.slice(2);
const at = args.indexOf('--baseline');
if (at >= 0 && args[at + 1] !== undefined) {
  args[at + 1] = resolve(args[at + 1]);
  build(args[at + 1]);
}
run(process.execPath, [build(fileURLToPath(new URL('..', import.meta.url))), ...args]);
