import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CloseCode } from '../../lib/protocol/close-codes.js';
import { ErrorCode } from '../../lib/protocol/error-codes.js';
import { blocks, DOC_PAGES, firstCells, linksOf, readDocument } from './markdown.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGES = ['README.md', ...DOC_PAGES];
const SCRIPTS = Object.keys(
  (JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> }).scripts,
);

/** All of lib/ as one text: what a document names has to be in it. */
const SOURCE = readdirSync(`${ROOT}lib`, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => readDocument(`${entry.parentPath.slice(ROOT.length)}/${entry.name}`))
  .join('\n');

const shellLines = (path: string): string[] =>
  blocks(readDocument(path), 'sh')
    .flatMap((block) => block.split('\n'))
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((line) => line !== '');

/** The part of a page under a heading of the second level. */
function section(path: string, title: string): string {
  const found = readDocument(path)
    .split(/^## /m)
    .find((part) => part.startsWith(`${title}\n`));
  if (found === undefined) throw new Error(`Expected ${path} to have the section "${title}".`);
  return found;
}

const codesIn = (cells: readonly string[]): string[] =>
  cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code));

describe('the documents', () => {
  it('name the two commands of the README, which CI runs', () => {
    const commands = shellLines('README.md').filter((line) => line.startsWith('npm ci'));
    expect(commands).toEqual(['npm ci && npm start', 'npm ci && npm test']);
    for (const command of commands) expect(readDocument('.ci/run')).toContain(`'${command}'`);
  });

  it.each(PAGES)('show no other shell commands in %s than npm installs and scripts', (path) => {
    for (const line of shellLines(path).filter((each) => !each.startsWith('npm ci && '))) {
      expect(line).toMatch(/^npm (install|run|pack|test|start)\b/);
    }
  });

  it.each([...PAGES, 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/README.md', 'test/chaos/README.md'])(
    'name scripts that exist in %s',
    (path) => {
      const named = [...readDocument(path).matchAll(/npm run ([\w:-]+)/g)].map(([, script]) => script);
      expect(named.filter((script) => !SCRIPTS.includes(script as string))).toEqual([]);
    },
  );

  it.each([...PAGES, 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'])(
    'link to files that exist in %s',
    (path) => {
      for (const link of linksOf(path, readDocument(path)))
        expect(() => readDocument(link), link).not.toThrow();
    },
  );

  it.each([...PAGES, 'CONTRIBUTING.md'])('name paths that exist in %s', (path) => {
    const named = codesIn([readDocument(path)]).filter((code) =>
      /^(lib|test|docs|scripts|bench|sample)\/[\w./-]+$/.test(code),
    );
    expect(named.filter((each) => !existsSync(`${ROOT}${each}`))).toEqual([]);
  });

  it.each(PAGES)('link to headings that exist in %s', (path) => {
    const anchors = [...readDocument(path).matchAll(/\]\(([\w-]+\.md)?#([\w-]+)\)/g)];
    for (const [, file, anchor] of anchors) {
      const target = readDocument(file === undefined ? path : `docs/${file}`);
      const slugs = [...target.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      );
      expect(slugs, `${file ?? path}#${anchor}`).toContain(anchor);
    }
  });
});

/** The reasons for which an upgrade is refused, of the union in the source. */
function refusalReasons(): string[] {
  const [, union = ''] = /readonly reason:\s*((?:\|\s*'\w+'\s*)+);/.exec(SOURCE) ?? [];
  return [...union.matchAll(/'(\w+)'/g)].map(([, reason = '']) => reason);
}

describe('docs/errors.md', () => {
  it('has every error code of the library', () => {
    const named = codesIn(firstCells(section('docs/errors.md', 'Error codes')));
    expect(named.sort()).toEqual(Object.values(ErrorCode).sort());
  });

  it('has every close code of the library', () => {
    const named = firstCells(section('docs/errors.md', 'Close codes')).flatMap((cell) => cell.split(', '));
    for (const code of Object.values(CloseCode)) expect(named).toContain(String(code));
  });

  it('has every reason for which an upgrade is refused', () => {
    const named = codesIn(firstCells(section('docs/errors.md', 'Refused upgrades')));
    const reasons = refusalReasons();
    expect(reasons).toContain('origin');
    expect(named.sort()).toEqual([...reasons, 'path'].sort());
  });
});

describe('docs/operations.md', () => {
  it('has every metric of the library and no other', () => {
    const named = codesIn(firstCells(section('docs/operations.md', 'Metrics'))).map((name) =>
      name.replace(/\{.*/, ''),
    );
    const declared = [...SOURCE.matchAll(/'(realtime_\w+)'/g)].map(([, name = '']) => name);
    expect(named.sort()).toEqual([...new Set(declared)].sort());
  });

  it('names log lines as the source writes them', () => {
    const named = codesIn(firstCells(section('docs/operations.md', 'Logs'))).map((line) =>
      line.replace(/[ …]*$/, ''),
    );
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((line) => !SOURCE.includes(line))).toEqual([]);
  });

  it('has every reason and every close code that is a trouble in its runbook', () => {
    const runbook = section('docs/operations.md', 'Runbook');
    const harmless = [CloseCode.NORMAL, CloseCode.GOING_AWAY];
    const codes = Object.values(CloseCode).filter((code) => !(harmless as number[]).includes(code));
    for (const name of [...refusalReasons(), ...codes]) expect(runbook).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it('names the options it explains as they are', () => {
    const named = codesIn([section('docs/operations.md', 'Limits')]).filter((name) =>
      /^[a-z]\w+$/.test(name),
    );
    for (const name of named) expect(SOURCE).toMatch(new RegExp(`\\b${name}\\b`));
  });
});

describe('the ACL of docs/scaling.md', () => {
  it('is the one that the tests give a Redis user', () => {
    const words = (text: string): string[] => text.split(/[\s*]+/).filter((word) => word !== '');
    const [, shown = ''] = /ACL SETUSER realtime ([^`]+)```/.exec(readDocument('docs/scaling.md')) ?? [];
    const [, tested = ''] = /ACL SETUSER realtime ([^/]+)\*\//.exec(SOURCE) ?? [];
    expect(words(shown)).toEqual(words(tested));
  });
});
