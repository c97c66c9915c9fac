import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a browser would get of an entry point: every file in it, and everything it leaves to be found elsewhere. */
async function bundle(entry: string) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    external: ['react'],
  });
  const outputs = Object.values(metafile.outputs);
  return {
    files: Object.keys(metafile.inputs),
    imports: outputs.flatMap((output) => output.imports.map(({ path }) => path)),
  };
}

describe('the bundle', () => {
  it.each([
    ['lib/client/index.ts', [], 'lib/client/session.ts'],
    ['lib/client/react.ts', ['react'], 'lib/client/environment.ts'],
  ])('of %s holds client and protocol files alone', async (entry, allowed, part) => {
    const { files, imports } = await bundle(entry);
    expect(files.filter((file) => !/^lib\/(client|protocol)\//.test(file))).toEqual([]);
    expect(files).toContain(part);
    expect(imports).toEqual(allowed);
    expect(imports.filter((path) => path.startsWith('node:') || builtinModules.includes(path))).toEqual([]);
  });
});

describe('the sources', () => {
  // Inside the repository, so that packages are found.
  const folder = mkdtempSync(join(root, 'node_modules/.client-types-'));
  const compile = (project: object) => {
    const config = { extends: join(root, 'tsconfig.json'), exclude: [], ...project };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
  };

  beforeAll(() => {
    // Contracts are known to the client by their types alone, as they come out of the package.
    const compilerOptions = {
      rootDir: join(root, 'lib'),
      outDir: join(folder, 'lib'),
      noEmit: false,
      emitDeclarationOnly: true,
      types: ['node'],
    };
    compile({ compilerOptions, files: [join(root, 'lib/client/index.ts')], include: [] });
    for (const room of ['client', 'protocol']) {
      rmSync(join(folder, 'lib', room), { recursive: true });
      cpSync(join(root, 'lib', room), join(folder, 'lib', room), { recursive: true });
    }
    rmSync(join(folder, 'lib/client/react.ts'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['no types of any runtime', ['ES2023'], [], ''],
    [
      'the types of the DOM',
      ['ES2023', 'DOM', 'DOM.Iterable'],
      [],
      'abort; new RealtimeClient("/ws", { WebSocket });',
    ],
    [
      'the types of a worker',
      ['ES2023', 'WebWorker'],
      [],
      'abort; new RealtimeClient("/ws", { WebSocket });',
    ],
    [
      'the types of Node and ws',
      ['ES2023'],
      ['node'],
      'abort; new RealtimeClient("/ws", { WebSocket: NodeWebSocket });',
    ],
  ])('compile with %s', (_, lib, types, use) => {
    const app = `
      import { RealtimeClient } from './lib/client/index.js';
      ${types.length > 0 ? "import { WebSocket as NodeWebSocket } from 'ws';" : ''}
      export const client = new RealtimeClient('/ws');
      ${use.replace('abort', "void client.once('x', { signal: new AbortController().signal })")}`;
    writeFileSync(join(folder, 'app.ts'), app);
    const compilerOptions = { lib, types, skipLibCheck: true, paths: {} };
    compile({ compilerOptions, include: ['app.ts', 'lib/client'] });
  });
});
