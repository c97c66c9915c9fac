import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RepositoryCopy, type Outcome } from './repository-copy.js';

/** Which folder may import which. `testing` may import all; no folder imports `testing`, `client` or the composition root. */
const ARROWS: Record<string, readonly string[]> = {
  protocol: [],
  metrics: ['protocol'],
  health: ['backplane', 'protocol', 'metrics'],
  contract: ['protocol'],
  connections: ['protocol', 'metrics'],
  messages: ['contract', 'connections', 'protocol', 'metrics'],
  backplane: ['protocol', 'metrics'],
  history: ['backplane', 'protocol', 'metrics'],
  presence: ['backplane', 'protocol', 'metrics'],
  broadcast: ['presence', 'history', 'backplane', 'connections', 'contract', 'protocol', 'metrics'],
  gateway: [
    'broadcast',
    'presence',
    'history',
    'backplane',
    'messages',
    'connections',
    'contract',
    'protocol',
    'metrics',
  ],
  client: ['protocol'],
};
const ROOMS = [...Object.keys(ARROWS), 'testing'];
ARROWS['testing'] = ROOMS;

const FORMS: Record<string, (path: string) => string> = {
  value: (path) => `import { target } from '${path}';\nexport const seen = target;\n`,
  type: (path) => `import type { Target } from '${path}';\nexport type Seen = Target;\n`,
  reexport: (path) => `export { target } from '${path}';\n`,
};

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

describe('oxlint', { timeout: 60_000 }, () => {
  let copy: RepositoryCopy;
  beforeAll(() => {
    copy = new RepositoryCopy('.oxlintrc.json');
    for (const room of ROOMS) {
      copy.write(`lib/${room}/target.ts`, 'export const target = 1;\nexport type Target = number;\n');
    }
  });
  afterAll(() => copy?.remove());

  /** The files of the copy that violate the rule. */
  function refused(rule: string): Set<string> {
    const { output } = copy.node('node_modules/oxlint/bin/oxlint', '-f', 'json', 'lib');
    const { diagnostics } = JSON.parse(output.slice(output.indexOf('{'))) as { diagnostics: Diagnostic[] };
    return new Set(diagnostics.filter(({ code }) => code.includes(rule)).map(({ filename }) => filename));
  }

  it('allows the imports of the design and refuses all others, type-only ones included', () => {
    const planted: { path: string; isArrow: boolean }[] = [];
    for (const from of ROOMS) {
      for (const to of ROOMS.filter((room) => room !== from)) {
        for (const [form, text] of Object.entries(FORMS)) {
          const path = `lib/${from}/planted-${to}-${form}.ts`;
          copy.write(path, text(`../${to}/target.js`));
          const isTypeOfContract = from === 'client' && to === 'contract' && form === 'type';
          planted.push({ path, isArrow: isTypeOfContract || ARROWS[from]!.includes(to) });
        }
      }
    }
    const broken = refused('no-restricted-imports');
    expect(planted.filter(({ path, isArrow }) => broken.has(path) === isArrow)).toEqual([]);
  });

  it('refuses an import of the composition root, from a folder and from one inside it', () => {
    const rooms = ROOMS.filter((room) => room !== 'testing');
    const planted = rooms.flatMap((room) =>
      ['index', 'realtime.module', 'realtime.options'].flatMap((file) => {
        const paths = [`lib/${room}/planted-${file}.ts`, `lib/${room}/inner/planted-${file}.ts`];
        copy.write(paths[0]!, FORMS['type']!(`../${file}.js`));
        copy.write(paths[1]!, FORMS['type']!(`../../${file}.js`));
        return paths;
      }),
    );
    const broken = refused('no-restricted-imports');
    expect(planted.filter((path) => !broken.has(path))).toEqual([]);
  });

  it('allows the arrows client → pubsub → cluster in lib/backplane/redis, and no others', () => {
    const folders = ['client', 'pubsub', 'cluster'];
    const planted = folders.flatMap((from, i) =>
      [...folders.filter((to) => to !== from).map((to) => `${to}/target`), 'redis-target'].map((target) => {
        const path = `lib/backplane/redis/${from}/planted-${target.replace('/', '-')}.ts`;
        copy.write(path, FORMS['type']!(`../${target}.js`));
        const isArrow = folders.slice(0, i).some((to) => target.startsWith(`${to}/`));
        return { path, isArrow };
      }),
    );
    const broken = refused('no-restricted-imports');
    expect(planted.filter(({ path, isArrow }) => broken.has(path) === isArrow)).toEqual([]);
  });

  it('refuses an import of client/ and testing/ from the root', () => {
    copy.write('lib/planted-client.ts', FORMS['type']!('./client/target.js'));
    copy.write('lib/planted-testing.ts', FORMS['value']!('./testing/target.js'));
    const broken = refused('no-restricted-imports');
    expect(broken).toContain('lib/planted-client.ts');
    expect(broken).toContain('lib/planted-testing.ts');
  });

  it('refuses a package or a Node module in protocol/ and client/, and a test runner in testing/', () => {
    const planted = [
      ['lib/protocol/planted-node.ts', 'node:buffer'],
      ['lib/client/planted-package.ts', 'rxjs'],
      ['lib/testing/planted-runner.ts', 'vitest'],
    ] as const;
    for (const [path, name] of planted) copy.write(path, FORMS['type']!(name));
    const broken = refused('no-restricted-imports');
    for (const [path] of planted) expect(broken).toContain(path);
  });

  it('refuses a cycle of types within a room', () => {
    copy.write(
      'lib/protocol/chicken.ts',
      "import type { Egg } from './egg.js';\nexport type Chicken = Egg[];\n",
    );
    copy.write(
      'lib/protocol/egg.ts',
      "import type { Chicken } from './chicken.js';\nexport type Egg = Chicken[];\n",
    );
    expect(refused('no-cycle')).toContain('lib/protocol/egg.ts');
  });

  it('has a rule for every folder of lib/', () => {
    const rooms = readdirSync(copy.path('lib'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(rooms.map(({ name }) => name).filter((name) => !ROOMS.includes(name))).toEqual([]);
  });
});

describe('check-conventions', { timeout: 60_000 }, () => {
  let copy: RepositoryCopy;
  beforeAll(() => {
    copy = new RepositoryCopy('package-lock.json');
  });
  afterAll(() => copy?.remove());

  const check = (): Outcome => copy.node('scripts/check-conventions.mjs');

  it.each([
    ['lib/presence/redis-presence.ts', 'lib/presence/store.ts', "import { Redis } from 'ioredis';"],
    ['lib/gateway/sockets.ts', 'lib/connections/sockets.ts', "import type { WebSocket } from 'ws';"],
    [
      'lib/backplane/redis/pubsub/redis-shard.ts',
      'lib/backplane/link.ts',
      "const driver = await import('ioredis');",
    ],
  ])('allows in %s what it refuses in %s: %s', (home, refused, line) => {
    const source = `${line}\n${'// as long as a file should be\n'.repeat(12)}`;
    copy.write(home, source);
    copy.write(refused, source);
    const { status, output } = check();
    expect(status).toBe(1);
    expect(output).toContain(`${refused}: only`);
    expect(output).not.toContain(`${home}: only`);
  });

  it('refuses import() of a relative path, which oxlint does not check', () => {
    copy.write('lib/protocol/lazy.ts', "export type Lazy = import('../gateway/target.js').Target;\n");
    expect(check().output).toContain('lib/protocol/lazy.ts: import() of a relative path');
  });

  it.each([
    'lib/utils/x.ts',
    'lib/common/x.ts',
    'lib/gateway/types.ts',
    'sample/socket-manager.ts',
    'test/helpers/x.ts',
  ])('refuses the name %s', (path) => {
    copy.write(path, 'export {};\n');
    const named = path.replace('/x.ts', '');
    expect(check().output).toContain(`${named}: "${named.split('/').at(-1)}" names a kind of code`);
  });

  it('refuses a registry address in the lockfile', () => {
    copy.write('package-lock.json', '{ "packages": { "node_modules/ws": { "resolved": "https://…" } } }\n');
    expect(check().output).toContain('package-lock.json: holds registry addresses');
  });

  it('refuses a file of fewer than 12 lines', () => {
    copy.write('lib/gateway/crumb.ts', 'export const crumb = 1;\n');
    expect(check().output).toContain('lib/gateway/crumb.ts: 1 lines');
  });
});
