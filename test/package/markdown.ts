import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export function readDocument(path: string): string {
  return readFileSync(`${ROOT}${path}`, 'utf8');
}

/** The pages of docs/, by their paths from the root. */
export const DOC_PAGES: readonly string[] = readdirSync(`${ROOT}docs`)
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);

/** Fenced blocks of a language, in their order. */
export function blocks(page: string, ...languages: readonly string[]): string[] {
  return [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, name = '', text = '']) =>
    languages.includes(name) ? [text] : [],
  );
}

/** The file that a block shows: `// chat.contract.ts` is its first line. Other blocks are fragments. */
export function fileNameOf(block: string): string | undefined {
  return /^\/\/ (\S+\.tsx?)\n/.exec(block)?.[1];
}

/** A fragment with imports of the names it uses and neither declares nor imports: page files first, then the packages. */
export function withImports(fragment: string, exportsOf: ReadonlyMap<string, readonly string[]>): string {
  const declared = new Set(
    [...fragment.matchAll(/\b(?:class|const|function|interface|type) (\w+)/g)].map(([, name]) => name),
  );
  for (const [, names = ''] of fragment.matchAll(/^import [^{]*\{([^}]*)\}/gm)) {
    for (const name of names.split(',')) declared.add(name.replace('type ', '').trim());
  }
  const used = new Set(fragment.replaceAll(/\/\/.*$/gm, '').match(/\b[A-Za-z]\w*\b/g));
  const imports: string[] = [];
  for (const [specifier, names] of exportsOf) {
    const needed = names.filter((name) => used.has(name) && !declared.has(name));
    for (const name of needed) declared.add(name);
    if (needed.length > 0) imports.push(`import { ${needed.join(', ')} } from '${specifier}';\n`);
  }
  return `${imports.join('')}${fragment}\nexport {};\n`;
}

/** The names that a file of a page exports. */
export function exportedNames(source: string): string[] {
  return [...source.matchAll(/^export (?:async )?(?:class|const|function|interface|type) (\w+)/gm)].map(
    ([, name = '']) => name,
  );
}

/** Relative links, as paths from the root. */
export function linksOf(path: string, page: string): string[] {
  const base = new URL(path, 'file:///');
  return [...page.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, link = '']) =>
    new URL(link, base).pathname.slice(1),
  );
}

/** The first cell of every row of every table, with its code marks. */
export function firstCells(page: string): string[] {
  return [...page.matchAll(/^\| (.*?) \|/gm)].map(([, cell = '']) => cell);
}
