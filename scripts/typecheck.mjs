// Type-checks lib/ and test/, and apart from them every folder there that is a project of its own (with the DOM, say).
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
