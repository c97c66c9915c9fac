import assert from 'node:assert/strict';
import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClassPayload } from '../../lib/contract/class/class-payload.js';
import * as classes from './decorated-classes.js';
import { applyEdit, edit, harmless } from './hostile-edits.js';

interface Case {
  readonly title: string;
  readonly target: new () => object;
  readonly valid: readonly object[];
  readonly groups?: readonly string[];
}

const address = { street: 'Main', number: 1, since: '2026-01-01T00:00:00.000Z' };
const flat = { name: 'Ann', size: 3, status: 'free', open: false, email: 'a@b.co', anything: { deep: [1] } };
const transformed = { name: ' Ann ', shown_name: 'A', hidden: 'no', home: address };
const grouped = { name: 'n', id: 1, always: 'a', note: 'x' };

const cases: readonly Case[] = [
  {
    title: 'a flat class',
    target: classes.Flat,
    valid: [flat, { name: 'B', size: 20, status: 'taken', email: null }],
  },
  {
    title: 'nested classes',
    target: classes.Nested,
    valid: [
      {
        home: address,
        others: [address, { street: 'x' }],
        free: { a: [{ b: null }] },
        unchecked: { odd: 1 },
      },
      { home: address, work: { street: 'y' }, others: [], free: {}, untyped: undefined },
    ],
  },
  {
    title: 'a class that contains itself',
    target: classes.Tree,
    valid: [
      {
        label: 'a',
        children: [
          { label: 'b', left: { label: 'c' } },
          { label: 'd', children: [] },
        ],
      },
    ],
  },
  {
    title: 'arrays, sets, maps and converted values',
    target: classes.Collections,
    valid: [
      {
        words: ['a', 'b'],
        numbers: ['1', 2],
        set: [address],
        map: { one: address, two: address },
        text: 5,
        flag: 0,
      },
      { words: 'a', numbers: 3, set: [], map: {}, text: 'x', flag: true },
    ],
  },
  { title: 'no groups of a grouped class', target: classes.Grouped, valid: [grouped] },
  {
    title: 'one group of a class',
    target: classes.Grouped,
    groups: ['create'],
    valid: [grouped, { name: 'n', always: '' }],
  },
  { title: 'two groups of a class', target: classes.Grouped, groups: ['create', 'update'], valid: [grouped] },
  { title: 'an undeclared group', target: classes.Grouped, groups: ['other'], valid: [grouped] },
  {
    title: 'a derived class',
    target: classes.Derived,
    valid: [
      { kind: 'kk', amount: 5 },
      { kind: 'kk', amount: 11, extra: 'e' },
    ],
  },
  {
    title: 'conditional rules',
    target: classes.Conditional,
    valid: [
      { mode: 'full', count: 1, place: address, text: 't' },
      { mode: 'none', count: 'no', place: { odd: 1 }, text: 0 },
    ],
  },
  {
    title: 'custom rules',
    target: classes.CustomRules,
    valid: [{ even: 2, more: 3, evens: [2, 4], there: 0 }],
  },
  {
    title: 'asynchronous rules',
    target: classes.AsyncRules,
    valid: [
      { code: 'known', maybe: 'a', plain: 'p', codes: ['known'] },
      { code: 'known', maybe: 'b', plain: 'p' },
    ],
  },
  {
    title: 'a promise made by the class',
    target: classes.Awaited,
    valid: [{ name: 'n' }, { name: 'n', later: 2 }],
  },
  {
    title: 'discriminated sub-types',
    target: classes.Drawing,
    valid: [
      {
        shape: { kind: 'circle', radius: 1 },
        shapes: [{ kind: 'square', side: 2 }],
        kept: { kind: 'circle' },
      },
      { shape: { kind: 'other', title: 't' }, shapes: [{ title: 't' }, [{ kind: 'circle', radius: 1 }]] },
    ],
  },
  {
    title: 'transformed, exposed and excluded properties',
    target: classes.Transformed,
    valid: [transformed],
  },
  {
    title: 'a class that holds transformed ones',
    target: classes.HoldsTransformed,
    valid: [{ inner: transformed, list: [transformed] }],
  },
  { title: 'exposed names', target: classes.Exposed, valid: [{ shown_name: 'a' }, { shown: 'b' }] },
  { title: 'excluded properties', target: classes.Excluded, valid: [{ shown: 'a', hidden: 'b' }] },
  { title: 'accessors', target: classes.WithMembers, valid: [{ first: 'f' }, { nick: 'n' }] },
];

/** `undefined` if class-transformer itself cannot make an instance of the input. */
async function reference({ target, groups }: Case, input: object, refuse: boolean) {
  let value: object;
  try {
    value = plainToInstance(target, structuredClone(input));
  } catch {
    return undefined;
  }
  const options = { whitelist: true, forbidUnknownValues: true, forbidNonWhitelisted: refuse };
  const errors = await validate(value, groups ? { ...options, groups: [...groups] } : options);
  return errors.length === 0 ? { value } : 'refused';
}

describe('a class payload decides as class-transformer and class-validator do', () => {
  for (const one of cases) {
    for (const unknownProperties of ['strip', 'refuse'] as const) {
      it(`for ${one.title}, with unknownProperties: '${unknownProperties}'`, async () => {
        const payload = new ClassPayload(one.target, one.groups ?? [], unknownProperties);
        const refuse = unknownProperties === 'refuse';
        let compared = 0;
        await fc.assert(
          fc.asyncProperty(
            fc.constantFrom(...one.valid),
            fc.array(edit, { maxLength: 3 }),
            async (valid, edits) => {
              const edited = structuredClone(valid);
              for (const each of edits) applyEdit(edited, each);
              const input = harmless(edited) as object;
              const before = structuredClone(input);
              const expected = await reference(one, input, refuse);
              const got = await payload.validate(input);
              assert.deepStrictEqual(input, before, 'the input was changed');
              if (expected === undefined) {
                assert.ok(got.issues?.length, 'accepted what class-transformer cannot read');
                return;
              }
              compared += 1;
              if (expected === 'refused')
                assert.ok(got.issues?.length, 'accepted what class-validator refuses');
              else expect(got).toStrictEqual({ value: expected.value });
            },
          ),
          { numRuns: 300 },
        );
        expect(compared).toBeGreaterThan(100);
      });
    }
  }

  it("for every valid sample, with an instance of the contract's class", async () => {
    for (const one of cases) {
      for (const valid of one.valid) {
        const expected = await reference(one, valid, false);
        const got = await new ClassPayload(one.target, one.groups ?? [], 'strip').validate(valid);
        if (expected === undefined || expected === 'refused') expect(got.issues).toBeDefined();
        else expect(got).toStrictEqual(expected);
      }
    }
  });
});
