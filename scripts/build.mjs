// Builds dist/ from lib/ without files of an earlier build; an old dist/ stays until the new one is complete.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { replaceDirectory } from './replace-directory.mjs';

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const fresh = path(`.dist-${process.pid}`);
const tsc = path('node_modules/typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', path('tsconfig.build.json'), '--outDir', fresh], {
  stdio: 'inherit',
});
if (status === 0) {
  replaceDirectory(fresh, path('dist'));
} else {
  rmSync(fresh, { recursive: true, force: true });
}
process.exit(status ?? 1);
