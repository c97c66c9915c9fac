import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const ALWAYS = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'lib', 'scripts'];

export interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

/** A copy of this repository that a test may change. It shares the repository's node_modules. */
export class RepositoryCopy {
  readonly root = mkdtempSync(join(tmpdir(), 'nestjs-realtime-'));

  constructor(...alsoCopied: string[]) {
    for (const path of [...ALWAYS, ...alsoCopied]) {
      if (!existsSync(join(REPOSITORY, path))) continue;
      cpSync(join(REPOSITORY, path), join(this.root, path), {
        recursive: true,
        filter: (source) => !['dist', 'node_modules'].includes(basename(source)),
      });
    }
    symlinkSync(join(REPOSITORY, 'node_modules'), join(this.root, 'node_modules'));
  }

  path(path: string): string {
    return join(this.root, path);
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
  }

  node(...args: string[]): Outcome {
    return run(this.root, process.execPath, args);
  }

  tsc(project: string): Outcome {
    return this.node('node_modules/typescript/bin/tsc', '--noEmit', '--pretty', 'false', '-p', project);
  }

  build(): void {
    const { status, output } = this.node('scripts/build.mjs');
    if (status !== 0) throw new Error(`The copy does not build:\n${output}`);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export function run(cwd: string, command: string, args: readonly string[]): Outcome {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error) throw error;
  return { status, output: `${stdout}${stderr}` };
}
