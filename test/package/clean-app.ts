import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RepositoryCopy, run, type Outcome } from './repository-copy.js';

const DOCUMENTS = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
const REPOSITORY_MODULES = fileURLToPath(new URL('../../node_modules/', import.meta.url));

interface Manifest {
  exports: Record<string, string | { types: string; default: string }>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

/**
 * An app that installed the packed tarball. Its node_modules contain the package, its declared dependencies, and those
 * of the app; an undeclared dependency is missing here, as it would be for a user.
 */
export class CleanApp {
  readonly manifest: Manifest;
  readonly packed: readonly string[];
  readonly #copy = new RepositoryCopy(...DOCUMENTS, 'LICENSE', 'docs', 'test', 'sample', 'bench');
  // Outside the copy: below it, Node would resolve missing packages from the copy's node_modules.
  readonly #root = mkdtempSync(join(tmpdir(), 'clean-app-'));

  constructor(...ownPackages: string[]) {
    const installed = join(this.#root, 'node_modules/nestjs-realtime');
    mkdirSync(installed, { recursive: true });
    expectSuccess(run(this.#copy.root, 'npm', ['pack', '--silent']));
    const tarball = readdirSync(this.#copy.root).find((name) => name.endsWith('.tgz'));
    if (tarball === undefined) throw new Error('npm pack left no tarball.');
    expectSuccess(run(installed, 'tar', ['-xzf', this.#copy.path(tarball), '--strip-components=1']));

    this.packed = readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))
      .sort();
    this.manifest = JSON.parse(this.#copy.read('package.json')) as Manifest;
    this.#link([...this.#declaredPackages(), ...ownPackages]);
    this.write('package.json', JSON.stringify({ type: 'module', private: true }));
  }

  /** `nestjs-realtime`, `nestjs-realtime/testing`, …, with the paths of their types. */
  get entryPoints(): { name: string; types: string }[] {
    return Object.entries(this.manifest.exports).flatMap(([path, target]) =>
      typeof target === 'string' ? [] : [{ name: `nestjs-realtime${path.slice(1)}`, types: target.types }],
    );
  }

  readPacked(path: string): string {
    return readFileSync(this.path(join('node_modules/nestjs-realtime', path)), 'utf8');
  }

  /** The exports of a declaration file: by lists (`export { … } from`, `export type { … } from`) or at the declaration. */
  exportedBy(types: string): { values: string[]; types: string[] } {
    const source = this.readPacked(types);
    if (/export \*|export default/.test(source)) {
      throw new Error(`Expected ${types} to name what it exports, got export * or export default.`);
    }
    const listed = (pattern: RegExp): string[] =>
      [...source.matchAll(pattern)]
        .flatMap(([, names = '']) => names.split(','))
        .map((name) => name.trim())
        .filter((name) => name !== '');
    const values = [
      ...listed(/^export \{([^}]*)\}/gm),
      ...listed(/^export declare (?:abstract )?(?:class|function|const|enum) (\w+)/gm),
    ];
    if (values.length === 0) throw new Error(`Expected ${types} to export a value.`);
    return {
      values: [...new Set(values)].sort(),
      types: [
        ...listed(/^export type \{([^}]*)\}/gm),
        ...listed(/^export (?:interface|type) (\w+)/gm),
      ].sort(),
    };
  }

  path(path: string): string {
    return join(this.#root, path);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
  }

  /** Strict, without skipLibCheck, so that our declarations and those of our peers are checked. */
  tsc(
    files: readonly string[],
    options: { types?: string[]; lib?: string[]; jsx?: string; listFiles?: boolean } = {},
  ): Outcome {
    const compilerOptions = {
      module: 'nodenext',
      target: 'ES2023',
      lib: ['ES2023'],
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      ...options,
    };
    this.write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
    return this.node(join(REPOSITORY_MODULES, 'typescript/bin/tsc'), '--pretty', 'false');
  }

  node(...args: string[]): Outcome {
    return run(this.#root, process.execPath, args);
  }

  remove(): void {
    this.#copy.remove();
    rmSync(this.#root, { recursive: true, force: true });
  }

  #declaredPackages(): string[] {
    const { dependencies, peerDependencies, peerDependenciesMeta } = this.manifest;
    const required = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta?.[name]?.optional);
    return [...Object.keys(dependencies), ...required];
  }

  #link(packages: readonly string[]): void {
    for (const name of packages) {
      const link = join(this.#root, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(REPOSITORY_MODULES, name), link);
    }
  }
}

function expectSuccess({ status, output }: Outcome): void {
  if (status !== 0) throw new Error(output);
}
