import assert from 'node:assert/strict';
import { inspect, isDeepStrictEqual } from 'node:util';
import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import type { ValidationError } from 'class-validator';
import { ClassPayload } from '../../../lib/contract/class/class-payload.js';

export interface ClassCase {
  readonly target: new () => object;
  readonly groups: readonly string[];
  readonly unknownProperties: 'strip' | 'refuse';
}

// Two invalid dates are equal only as text.
function assertSame(got: unknown, expected: unknown): void {
  if (isDeepStrictEqual(got, expected)) return;
  const text = (value: unknown) => inspect(value, { depth: null, sorted: true, maxArrayLength: null });
  assert.equal(text(got), text(expected));
}

/** Whether an instance holds a Map with a key that class-transformer takes for a property of the items: `map-keys`. */
function holdsMapWithPropertyKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const isMap = value instanceof Map;
  if (isMap && [...value.keys()].some((key) => /^[pb]\d/.test(String(key)))) return true;
  const items: unknown[] = isMap || value instanceof Set ? [...value.values()] : Object.values(value);
  return items.some(holdsMapWithPropertyKey);
}

/** The outcome of the two libraries: an instance, errors, or `thrown`. */
export async function runLibraries({ target, groups, unknownProperties }: ClassCase, input: object) {
  try {
    const value = plainToInstance(target, structuredClone(input));
    if (holdsMapWithPropertyKey(value)) return { differs: true };
    const errors = await validate(value, {
      whitelist: true,
      forbidUnknownValues: true,
      forbidNonWhitelisted: unknownProperties === 'refuse',
      groups: [...groups],
    });
    return errors.length === 0 ? { value } : { issues: errors.flatMap((error) => issuesOf(error, '')) };
  } catch (thrown) {
    return { thrown };
  }
}

function issuesOf(
  error: ValidationError,
  parent: string,
  isInMap = false,
): { path: string; message: string }[] {
  const segment = isInMap ? '*' : error.property;
  const path = [parent, segment].filter((part) => part !== '' && part !== undefined).join('.');
  const own = Object.entries(error.constraints ?? {}).map(([name, message]) => {
    if (name === 'whitelistValidation') return { path: parent, message: 'has an unknown property' };
    if (name === 'unknownValue') return { path, message: 'is not an object of a type with rules' };
    return { path, message };
  });
  const children = (error.children ?? []).flatMap((child) =>
    issuesOf(child, path, error.value instanceof Map),
  );
  return [...own, ...children];
}

/** Throws if a class payload decides differently from the libraries. */
export async function compare(
  one: ClassCase,
  input: object,
): Promise<'accepted' | 'refused' | 'thrown' | 'other'> {
  const before = structuredClone(input);
  const expected = await runLibraries(one, input);
  const got = await new ClassPayload(one.target, one.groups, one.unknownProperties).validate(input);
  assert.deepStrictEqual(input, before, 'the input was changed');
  if ('differs' in expected) return 'other';
  if ('thrown' in expected) {
    // `throws` in the list of differences: a stripped property is not read.
    if (one.unknownProperties === 'refuse')
      assert.ok(got.issues?.length, 'accepted what the libraries throw for');
    return 'thrown';
  }
  if (expected.issues === undefined) {
    assertSame(got, { value: expected.value });
    return 'accepted';
  }
  assert.ok(got.issues?.length, `accepted what class-validator refuses: ${JSON.stringify(expected.issues)}`);
  const reported = new Set(expected.issues.map(({ path, message }) => `${path}: ${message}`));
  const paths = new Set(expected.issues.map(({ path }) => path));
  for (const { path, message } of got.issues) {
    assert.ok(
      reported.has(`${path}: ${message}`) || (message.endsWith(' is not valid') && paths.has(path)),
      `reports ${path}: ${message}, not one of ${[...reported].join(' | ')}`,
    );
  }
  if (reported.size <= 20) assert.deepEqual(new Set(got.issues.map(({ path }) => path)), paths);
  return 'refused';
}
