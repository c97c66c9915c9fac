// Prints the bundle size of the client and of its peers, built the same way; fails if the client exceeds its budget.
// The peers come from bench/node_modules (npm ci --prefix bench); without it they are not printed.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const bench = `${root}bench/node_modules/`;
const KB = 1_024;

const ours = [
  ['core: CoreClient', "export { CoreClient } from './lib/client/index.ts'", 5 * KB],
  ['RealtimeClient', "export { RealtimeClient } from './lib/client/index.ts'", 9 * KB],
  ['everything', "export * from './lib/client/index.ts'", 9 * KB],
  [
    'everything and react hooks',
    "export * from './lib/client/index.ts'; export * from './lib/client/react.ts'",
    9 * KB,
  ],
];
const peers = [
  ['partysocket', "export { WebSocket } from 'partysocket'"],
  ['reconnecting-websocket', "export { default } from 'reconnecting-websocket'"],
  ['socket.io-client', "export { io } from 'socket.io-client'"],
  ['@microsoft/signalr', "export { HubConnectionBuilder } from '@microsoft/signalr'"],
  ['centrifuge', "export { Centrifuge } from 'centrifuge'"],
];

/** The minified and gzipped size of a bundle that imports only this. */
async function sizeOf(contents, resolveDir) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir, loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    external: ['react'],
    logLevel: 'error',
  });
  const [{ contents: bytes }] = outputFiles;
  return { min: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
}

function print(name, { min, gzip }, note = '') {
  console.log(`${name.padEnd(36)}${String(min).padStart(8)}${String(gzip).padStart(8)}  ${note}`.trimEnd());
}

console.log(`${'bytes'.padEnd(36)}${'min'.padStart(8)}${'gzip -9'.padStart(8)}`);
for (const [name, contents, budget] of ours) {
  const size = await sizeOf(contents, root);
  const isOver = size.gzip > budget;
  if (isOver) process.exitCode = 1;
  print(name, size, `budget ${budget}${isOver ? ', OVER' : ''}`);
}
for (const [name, contents] of peers) {
  const manifest = `${bench}${name}/package.json`;
  if (!existsSync(manifest)) continue;
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  print(`${name} ${version}`, await sizeOf(contents, `${root}bench`));
}
