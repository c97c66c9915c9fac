import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** The files of a walk, as CONTRIBUTING.md lists them. */
function filesOf(walk: string): string[] {
  const text = readFileSync('CONTRIBUTING.md', 'utf8');
  const section = text.split(`### ${walk}\n`)[1]?.split(/^##/m)[0] ?? '';
  return [...section.matchAll(/^\d+\. `(lib\/[^`]+)`/gm)].map(([, file]) => file as string);
}

it.each([
  ['An upgrade request', 10],
  ['A frame in', 12],
  ['`sendToUser` to another node', 18],
])('the walk "%s" has at most %i files, each once, and all of them exist', (walk, most) => {
  const files = filesOf(walk);
  expect(files.length).toBeGreaterThan(5);
  expect(files.length).toBeLessThanOrEqual(most);
  expect(new Set(files).size).toBe(files.length);
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});
