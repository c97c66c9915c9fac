// node --import ./typescript.mjs x.ts: runs TypeScript from lib/ sources as the tests do, with decorator metadata.
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { __decorate, __metadata, __param } from 'tslib';
import { transformWithOxc } from 'vite';

const lib = new URL('../../../lib/', import.meta.url);
const ENTRY_POINTS = new Map([
  ['nestjs-realtime', 'index.ts'],
  ['nestjs-realtime/testing', 'testing/index.ts'],
]);

// Node runs the hooks below on a separate thread, which loads this file again.
if (isMainThread) {
  globalThis.babelHelpers = { decorate: __decorate, decorateMetadata: __metadata, decorateParam: __param };
  register(import.meta.url);
}

export function resolve(specifier, context, next) {
  const entry = ENTRY_POINTS.get(specifier);
  if (entry !== undefined) return { url: new URL(entry, lib).href, shortCircuit: true };
  const isOurs = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
  return next(isOurs ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const path = fileURLToPath(url);
  const { code } = await transformWithOxc(await readFile(path, 'utf8'), path, {
    decorator: { legacy: true, emitDecoratorMetadata: true },
    helpers: { mode: 'External' },
    target: 'es2022',
  });
  return { format: 'module', source: code, shortCircuit: true };
}
