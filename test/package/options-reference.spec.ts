import { runInThisContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { resolveClientOptions } from '../../lib/client/client.options.js';
import { resolveOptions, type RealtimeOptions } from '../../lib/realtime.options.js';
import { run } from './repository-copy.js';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

interface Member {
  readonly name: string;
  readonly default?: string;
  readonly description: string;
}
interface Table {
  readonly name: string;
  readonly members: readonly Member[];
  /** The option whose settings these are. */
  readonly group?: string;
}

/** Defaults that a docstring gives in words and that are a value all the same. */
const IN_WORDS: Readonly<Record<string, unknown>> = { maxUnauthenticatedPerIp: 200, maxWaitingPerIp: 1_000 };

function reference(flag: string) {
  return run(REPOSITORY, process.execPath, ['scripts/options-reference.mjs', flag]);
}

const tables = (JSON.parse(reference('--json').output) as { tables: Table[] }[]).flatMap(
  ({ tables }) => tables,
);

function tableOf(name: string): Table {
  const table = tables.find((candidate) => candidate.name === name);
  if (table === undefined) throw new Error(`The reference has no table of ${name}.`);
  return table;
}

/** What a docstring says as a value; `undefined` for words such as `one process`. */
function valueOf(text: string): unknown {
  try {
    return runInThisContext(`(${text})`);
  } catch {
    return undefined;
  }
}

describe('docs/options.md', { timeout: 60_000 }, () => {
  it('is what the source says', () => {
    expect(reference('--check')).toEqual({ status: 0, output: '' });
  });
});

describe('the docstrings of the options', () => {
  const options = tableOf('RealtimeOptions').members;
  const groups = tables.filter(({ group }) => group !== undefined);
  const clientOptions = tableOf('RealtimeClientOptions').members;

  const isGroup = (name: string): boolean => groups.some(({ group }) => group === name);
  const single = options.filter(({ name, default: said }) => !isGroup(name) || said === 'false');

  it.each(single)('give the default of $name as it is resolved', ({ name, default: said = '' }) => {
    const resolved = resolveOptions({})[name as keyof RealtimeOptions];
    expect(resolved).toEqual(IN_WORDS[name] ?? valueOf(said));
  });

  it.each(groups)('give the defaults of $group as they are resolved', ({ group, members }) => {
    const resolved = resolveOptions({ [group as string]: {} })[group as keyof RealtimeOptions];
    const said = Object.fromEntries(
      members.map(({ name, default: text = '' }) => [name, IN_WORDS[name] ?? valueOf(text)]),
    );
    expect(said).toEqual(resolved);
  });

  it.each(clientOptions.filter(({ name }) => name !== 'WebSocket' && name !== 'clock'))(
    'give the default of the client option $name as it is resolved',
    ({ name, default: said = '' }) => {
      class NoSocket {}
      const resolved = resolveClientOptions({ WebSocket: NoSocket as never });
      expect(resolved[name as keyof typeof resolved]).toEqual(valueOf(said));
    },
  );

  it('describe every option', () => {
    const bare = [...options, ...groups.flatMap(({ members }) => members), ...clientOptions]
      .filter(({ description, default: said }) => description === '' || said === undefined)
      .map(({ name }) => name);
    expect(bare).toEqual([]);
  });
});
