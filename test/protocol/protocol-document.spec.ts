import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CloseCode, shouldReconnect } from '../../lib/protocol/close-codes.js';
import { ErrorCode } from '../../lib/protocol/error-codes.js';

const text = readFileSync(fileURLToPath(new URL('../../lib/protocol/PROTOCOL.md', import.meta.url)), 'utf8');

function section(title: string, level = '## '): string {
  const found = text.split(new RegExp(`^${level}`, 'm')).find((part) => part.startsWith(`${title}\n`));
  if (found === undefined) throw new Error(`Expected PROTOCOL.md to have the section "${title}".`);
  return found;
}

const firstCells = (part: string) => [...part.matchAll(/^\| ([^|]+) \|/gm)].map(([, cell = '']) => cell);

describe('PROTOCOL.md', () => {
  it('lists every error code of the library and no other', () => {
    const codes = firstCells(section('Error codes')).flatMap((cell) => cell.match(/[A-Z_]{4,}/g) ?? []);
    expect(codes.toSorted()).toEqual(Object.keys(ErrorCode).toSorted());
  });

  it('lists every close code of the library, and whether a client reconnects after it', () => {
    const rows = [...section('Close codes').matchAll(/^\| (\d+(?:, \d+)*) \|.*\| (\w+)[^|]*\|$/gm)];
    const reconnects = rows.flatMap(([, codes = '', word]) =>
      codes.split(', ').map((code) => [Number(code), word !== 'no'] as const),
    );
    for (const [code, does] of reconnects) expect([code, shouldReconnect(code)]).toEqual([code, does]);
    const listed = reconnects.map(([code]) => code);
    for (const code of Object.values(CloseCode)) expect(listed).toContain(code);
  });

  it('has a direction and an interface for each message type', () => {
    const titles = [...section('Message types').matchAll(/^### (.+)$/gm)].map(([, title = '']) => title);
    for (const title of titles) {
      expect(section(title, '### ')).toMatch(/^Direction: \*\*/m);
      expect(section(title, '### ')).toMatch(/^interface \w+ \{$/m);
    }
    const types = titles.flatMap((title) => title.match(/\$\w+|\bping|\bpong/g) ?? []);
    expect(types.toSorted()).toEqual([
      '$auth',
      '$cancel',
      '$complete',
      '$error',
      '$goaway',
      '$hello',
      '$next',
      '$reply',
      '$request',
      '$resume',
      'ping',
      'pong',
    ]);
  });
});
