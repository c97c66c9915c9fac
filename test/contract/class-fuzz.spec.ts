import * as validators from 'class-validator';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { constraintKinds } from './fuzz/constraint-kinds.js';
import { buildClass, classSpec, GROUPS } from './fuzz/fuzzed-class.js';
import type { ClassSpec } from './fuzz/fuzzed-class.js';
import { inputFor } from './fuzz/fuzzed-input.js';
import { compare } from './fuzz/reference.js';

const SEED = 20_260_101;
const BATCHES = 10;
const CLASSES = 50;
const INPUTS = 200;

/** Decorators that check no value themselves; the fuzzed classes use them too. */
const STRUCTURE = [
  'IsOptional',
  'ValidateIf',
  'ValidateNested',
  'ValidatePromise',
  'Validate',
  'ValidateBy',
  'ValidatorConstraint',
];
const NO_DECORATORS = ['ValidationError', 'ValidationTypes', 'Validator', 'MetadataStorage'];

const counts = { accepted: 0, refused: 0, thrown: 0, other: 0 };

interface Setting {
  readonly spec: ClassSpec;
  readonly groups: readonly string[];
  readonly unknownProperties: 'strip' | 'refuse';
}
const setting: fc.Arbitrary<Setting> = fc.record({
  spec: classSpec(),
  groups: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.subarray(GROUPS) }),
  unknownProperties: fc.constantFrom('strip' as const, 'refuse' as const),
});

async function fails({ spec, ...rest }: Setting, input: object): Promise<unknown> {
  return compare({ target: buildClass(spec), ...rest }, input).then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** The smallest class that still fails on the input, which fast-check has shrunk. */
async function shrink(from: Setting, input: object): Promise<Setting> {
  for (const list of ['properties', 'inherited'] as const) {
    for (const [index, property] of from.spec[list].entries()) {
      // Keep the property, but without any decorator.
      const empty = { ...property, shape: 'untyped', constraints: [], optional: 'no', transform: 'none', exposed: 'no', excluded: false } as const; // prettier-ignore
      if (JSON.stringify(empty) === JSON.stringify(property)) continue;
      const smaller = { ...from, spec: { ...from.spec, [list]: from.spec[list].with(index, empty) } };
      if (await fails(smaller, input)) return shrink(smaller, input);
    }
  }
  return from;
}

async function fuzz(seed: number): Promise<void> {
  const [one] = fc.sample(setting, { seed, numRuns: 1 }) as [Setting];
  const { spec, ...rest } = one;
  const target = buildClass(spec);
  const property = fc.asyncProperty(inputFor(spec), async (input) => {
    counts[await compare({ target, ...rest }, input)] += 1;
  });
  const { failed, counterexample, seed: inputSeed, counterexamplePath } = await fc.check(property, { seed, numRuns: INPUTS }); // prettier-ignore
  if (!failed) return;
  const input = counterexample![0];
  const minimal = await shrink(one, input);
  const text = `Seed ${inputSeed}, path ${counterexamplePath}.\nClass: ${JSON.stringify(minimal)}\nInput: ${JSON.stringify(input)}`;
  throw new Error(text, { cause: await fails(minimal, input) });
}

describe('a class payload', () => {
  it('is compared for every decorator of class-validator that checks a value', () => {
    const decorators = Object.keys(validators).filter((name) => /^[A-Z]\w*[a-z]/.test(name));
    expect(Object.keys(constraintKinds).sort()).toEqual(
      decorators.filter((name) => ![...STRUCTURE, ...NO_DECORATORS].includes(name)).sort(),
    );
    expect(Object.keys(constraintKinds).length).toBeGreaterThanOrEqual(68);
  });

  it.each(Array.from({ length: BATCHES }, (_, batch) => batch))(
    'decides as class-transformer and class-validator do (batch %i)',
    async (batch) => {
      for (let index = 0; index < CLASSES; index += 1) await fuzz(SEED + batch * CLASSES + index);
    },
    60_000,
  );

  afterAll(() => {
    expect(counts.accepted + counts.refused + counts.thrown + counts.other).toBe(BATCHES * CLASSES * INPUTS);
    expect(counts.other).toBeLessThan(2_000);
    expect(counts.accepted).toBeGreaterThan(15_000);
    expect(counts.refused).toBeGreaterThan(30_000);
  });
});
