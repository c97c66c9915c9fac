import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Connection, ConnectionData, ConnectionUser, RealtimeOptions } from 'nestjs-realtime';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';

const repository = fileURLToPath(new URL('../..', import.meta.url));

const AUGMENTED = `
import type { Connection } from 'nestjs-realtime';
declare module 'nestjs-realtime' {
  interface ConnectionUser { readonly role: 'host' | 'guest' }
  interface ConnectionData { permit?: number }
}
export function roleOf(connection: Connection): 'host' | 'guest' | undefined {
  connection.data.permit = 4;
  // @ts-expect-error A permit is a number.
  connection.data.permit = 'four';
  // @ts-expect-error No such role.
  if (connection.user?.role === 'cook') return undefined;
  return connection.user?.role;
}
`;

let app: string;
beforeEach(() => (app = mkdtempSync(join(tmpdir(), 'augmented-app-'))));
afterEach(() => rmSync(app, { recursive: true }));

/** The output of `tsc` for a one-file app, as its own program, so that nothing here is augmented. */
function compile(source: string): string {
  const compilerOptions = {
    noEmit: true,
    paths: { 'nestjs-realtime': [join(repository, 'lib/index.ts')] },
    typeRoots: [join(repository, 'node_modules/@types')],
  };
  writeFileSync(join(app, 'app.mts'), source);
  writeFileSync(
    join(app, 'tsconfig.json'),
    JSON.stringify({
      extends: join(repository, 'tsconfig.json'),
      compilerOptions,
      include: ['app.mts'],
      exclude: [],
    }),
  );
  try {
    return String(
      execFileSync(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), '-p', app]),
    );
  } catch (error) {
    const lines = String((error as { stdout: unknown }).stdout).split('\n');
    return lines.filter((line) => line.includes('app.mts') || line.startsWith('  ')).join('\n');
  }
}

const WRONG = `
import { OnMessage, defineContract } from 'nestjs-realtime';
class Say { text!: string }
class Said { id!: string }
const chat = defineContract({ client: { say: { payload: Say, reply: Said } } });
export class Chat {
  @OnMessage(chat, 'say')
  say(HEAD): RESULT { throw new Error('never called'); }
}
`;

describe('a handler that does not fit', () => {
  it.each([
    ['a wrong reply', '_payload: Say', 'Promise<Say>', 'return the reply that the contract declares'],
    ['a wrong payload', '_payload: Said', 'Said', 'write (payload, connection)'],
  ])('is told so by the compiler: %s', { timeout: 60_000 }, (_name, head, result, sentence) => {
    const said = compile(WRONG.replace('HEAD', head).replace('RESULT', result));
    expect(said).toContain(sentence);
    const named = new Set(said.match(/Handler(CannotTakePayload|ReturnsWrongReply)/g));
    expect(named.size).toBe(1);
  });
});

describe('module augmentation', () => {
  it('types the user and the data of every connection of an app', { timeout: 60_000 }, () => {
    expect(compile(AUGMENTED)).toBe('');
    expect(compile(AUGMENTED.replace("readonly role: 'host' | 'guest'", ''))).toContain(
      "'role' does not exist",
    );
  });

  it('is absent by default', () => {
    expectTypeOf<Connection['user']>().toEqualTypeOf<ConnectionUser | undefined>();
    expectTypeOf<Connection['data']>().toEqualTypeOf<ConnectionData>();
  });
});

describe('authenticate', () => {
  it('returns an identity, null, or a promise of either', () => {
    const options: RealtimeOptions[] = [
      { authenticate: () => null },
      { authenticate: () => ({}) },
      { authenticate: async ({ token }) => ({ userId: token, user: { role: 'host' }, expiresAt: 1 }) },
    ];
    expectTypeOf(options).toBeArray();
  });

  it('returns nothing else', () => {
    const options: RealtimeOptions[] = [
      // @ts-expect-error A user id is text.
      { authenticate: () => ({ userId: 7 }) },
      // @ts-expect-error A boolean is not an identity.
      { authenticate: () => true },
    ];
    expectTypeOf(options).toBeArray();
  });
});
