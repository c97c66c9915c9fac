// Builds the venue into dist/: the server with tsc, the page with esbuild. Stops at a type error.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { replaceDirectory } from '../../scripts/replace-directory.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const tsc = here('../../node_modules/typescript/bin/tsc');

const fresh = here(`.dist-${process.pid}`);

function compile(project, ...flags) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', here(project), ...flags], { stdio: 'inherit' });
  if (status === 0) return;
  rmSync(fresh, { recursive: true, force: true });
  process.exit(1);
}

compile('tsconfig.json', '--outDir', fresh);
compile('web/tsconfig.json'); // esbuild removes types without checking them

await build({
  entryPoints: [here('web/main.ts'), here('web/style.css')],
  outdir: `${fresh}/public`,
  bundle: true,
  minify: true,
  sourcemap: true,
  format: 'esm',
  target: 'es2022',
});
for (const file of ['web/index.html', 'web/icon.svg', 'venue.json']) {
  cpSync(here(file), `${fresh}/public/${file.replace('web/', '')}`);
}
replaceDirectory(fresh, here('dist'));
