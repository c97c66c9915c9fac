import fc from 'fast-check';

const hostile = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    true,
    0,
    -1,
    2,
    11,
    1.5,
    '',
    'a',
    'x',
    'known',
    'circle',
    'full',
    [],
    {},
    [[]],
  ),
  fc.constantFrom<unknown>(
    { street: 'z' },
    [{ street: 5 }],
    [null],
    { kind: 'square', side: 1 },
    { 0: 'a' },
    ['known', 1],
  ),
  fc
    .constantFrom(
      '{"__proto__":{"street":"p"}}',
      '{"constructor":{"name":"Object"},"street":"p"}',
      '{"prototype":{"x":1},"a":{"__proto__":[]}}',
      '{"length":3,"push":1}',
    )
    .map((text) => JSON.parse(text) as unknown),
  fc.jsonValue({ maxDepth: 4 }),
);
const key = fc.constantFrom(
  'name',
  'extra',
  'kind',
  'street',
  '__proto__',
  'constructor',
  'prototype',
  'n',
  '0',
  'more',
);

/** One change to a valid input, at the position with that number. */
export interface Edit {
  readonly at: number;
  readonly action: 'replace' | 'remove' | 'add';
  readonly key: string;
  readonly value: unknown;
}
export const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(30),
  action: fc.constantFrom('replace' as const, 'remove' as const, 'add' as const),
  key,
  value: hostile,
});

type Container = Record<string, unknown>;

function containersOf(value: unknown): Container[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value as Container, ...Object.values(value).flatMap(containersOf)];
}

export function applyEdit(root: object, { at, action, key: added, value }: Edit): void {
  const counts = containersOf(root).flatMap((container) =>
    Object.keys(container).map((name) => ({ container, name })),
  );
  const place = counts[at % Math.max(counts.length, 1)];
  const container = place?.container ?? (root as Container);
  if (action === 'remove' && place && !Array.isArray(container)) delete container[place.name];
  else if (action === 'replace' && place) container[place.name] = structuredClone(value);
  else if (!Array.isArray(container)) {
    Object.defineProperty(container, added, {
      value: structuredClone(value),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
}

/** The input without keys that are members of every object, which class-transformer does not read. */
export function harmless(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(harmless);
  if (typeof value !== 'object' || value === null) return value;
  const kept: Container = {};
  for (const [name, item] of Object.entries(value)) {
    if (!(name in Object.prototype)) kept[name] = harmless(item);
  }
  return kept;
}
