import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CleanApp } from './clean-app.js';

/** The app's own dependencies: @types/node, as in every Nest app, and the optional peers of the entry points. */
const APP_PACKAGES = ['@types/node', '@types/react', 'react', 'prom-client', '@nestjs/terminus'];

let app: CleanApp;
beforeAll(() => {
  app = new CleanApp(...APP_PACKAGES);
}, 120_000);
afterAll(() => app?.remove());

const MAY_SHIP = [
  /^dist\/.*\.(js|d\.ts)$/,
  // The documents, and what they link to.
  /^(docs|lib|bench|sample|test\/chaos)\/.*\.md$/,
  /^((README|CHANGELOG|CONTRIBUTING|SECURITY)\.md|LICENSE|package\.json)$/,
];

const DOCUMENTED: { types: string; declarations: string[] }[] = [
  {
    types: 'dist/realtime.module.d.ts',
    declarations: ['export declare class RealtimeModule'],
  },
  {
    types: 'dist/broadcast/broadcaster.d.ts',
    declarations: ['export declare class Broadcaster', 'sendToUser(', 'broadcast('],
  },
  {
    types: 'dist/connections/connection.d.ts',
    declarations: ['export declare class Connection', 'get user()', 'get rooms()'],
  },
  { types: 'dist/messages/message.guard.d.ts', declarations: ['export declare class MessageGuard'] },
  { types: 'dist/testing/test-app.d.ts', declarations: ['export declare function createRealtimeTestApp'] },
];

describe('the tarball', () => {
  it('contains the built library and its documents, and nothing else', () => {
    expect(app.packed.filter((path) => !MAY_SHIP.some((allowed) => allowed.test(path)))).toEqual([]);
    expect(app.packed).toEqual(
      expect.arrayContaining(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist/index.js', 'package.json']),
    );
  });

  it('contains the files that its exports name', () => {
    const targets = Object.values(app.manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : [target.types, target.default],
    );
    for (const target of targets) expect(app.packed).toContain(target.replace('./', ''));
  });

  it('keeps the doc comments of what it exports', () => {
    for (const { types, declarations } of DOCUMENTED) {
      const lines = app.readPacked(types).split('\n');
      for (const declaration of declarations) {
        const at = lines.findIndex((line) => line.trimStart().startsWith(declaration));
        expect(at, `${declaration} in ${types}`).toBeGreaterThan(-1);
        expect(lines[at - 1], `the line before ${declaration}`).toMatch(/\*\/$/);
      }
    }
  });

  it('declares nothing internal', () => {
    const declarations = app.packed.filter((path) => path.endsWith('.d.ts'));
    expect(declarations.filter((path) => app.readPacked(path).includes('@internal'))).toEqual([]);
  });
});

describe('an app that installed it', { timeout: 120_000 }, () => {
  it('imports every entry point, with every name that the types declare', () => {
    for (const { name, types } of app.entryPoints) {
      app.write(
        'import.js',
        `import * as entry from '${name}';\nconsole.log(JSON.stringify(defined(entry)));${DEFINED}`,
      );
      expect(names(app.node('import.js'))).toEqual(app.exportedBy(types).values);
    }
  });

  it('requires every entry point from CommonJS', () => {
    for (const { name, types } of app.entryPoints) {
      app.write('require.cjs', `console.log(JSON.stringify(defined(require('${name}'))));${DEFINED}`);
      expect(names(app.node('--no-warnings', 'require.cjs'))).toEqual(app.exportedBy(types).values);
    }
  });

  it('compiles every entry point and every name of it strictly, without skipLibCheck', () => {
    for (const [index, { name, types }] of app.entryPoints.entries()) {
      const exported = app.exportedBy(types);
      app.write(
        `entry-${index}.ts`,
        `export { ${exported.values.join(', ')} } from '${name}';\n` +
          (exported.types.length > 0 ? `export type { ${exported.types.join(', ')} } from '${name}';\n` : ''),
      );
    }
    const files = app.entryPoints.map((_, index) => `entry-${index}.ts`);
    expect(app.tsc(files)).toEqual({ status: 0, output: '' });
  });

  it('compiles the client without the types of Node', () => {
    const clients = app.entryPoints.filter(({ types }) => types.includes('/client/'));
    app.write('clients.ts', clients.map(({ name }) => `import '${name}';\n`).join('') + 'export {};\n');
    const { status, output } = app.tsc(['clients.ts'], {
      types: [],
      lib: ['ES2023', 'DOM'],
      listFiles: true,
    });
    expect(status, output).toBe(0);
    expect(output).not.toContain('/@types/node/');
  });

  it('needs no types of ws or an optional peer for the root entry', () => {
    app.write('root.ts', "import 'nestjs-realtime';\n");
    const { output } = app.tsc(['root.ts'], { listFiles: true });
    expect(output).toContain('nestjs-realtime/dist/index.d.ts');
    const optional = /node_modules\/(@types\/(ws|react)|ws|ioredis|prom-client|react|@nestjs\/terminus)\//;
    expect(output.split('\n').filter((file) => optional.test(file))).toEqual([]);
  });
});

const DEFINED = `
function defined(entry) {
  return Object.keys(entry).filter((name) => entry[name] !== undefined && name !== 'module.exports');
}
`;

function names({ status, output }: { status: number | null; output: string }): string[] {
  if (status !== 0) throw new Error(output);
  return (JSON.parse(output) as string[]).sort();
}
