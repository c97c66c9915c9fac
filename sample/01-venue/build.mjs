// Builds the venue into dist/: the server with tsc, the page with esbuild. Stops at the first type error of either.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const tsc = here('../../node_modules/typescript/bin/tsc');

function compile(project) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', here(project)], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

rmSync(here('dist'), { recursive: true, force: true });
compile('tsconfig.json');
compile('web/tsconfig.json'); // esbuild strips types without reading them

await build({
  entryPoints: [here('web/main.ts'), here('web/style.css')],
  outdir: here('dist/public'),
  bundle: true,
  minify: true,
  sourcemap: true,
  format: 'esm',
  target: 'es2022',
});
for (const file of ['web/index.html', 'web/icon.svg', 'venue.json']) {
  cpSync(here(file), here(`dist/public/${file.replace('web/', '')}`));
}
