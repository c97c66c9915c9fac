// Type-checks lib/ and test/, and every folder in them with its own tsconfig.json, for example with DOM types.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

const TSC = 'node_modules/typescript/bin/tsc';
const own = ['lib', 'test'].flatMap((room) =>
  readdirSync(room)
    .map((folder) => `${room}/${folder}/tsconfig.json`)
    .filter((project) => existsSync(project)),
);
for (const project of ['tsconfig.json', ...own]) {
  const { status } = spawnSync(process.execPath, [TSC, '--noEmit', '-p', project], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
