import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../lib/contract/contract.js';

const validate = (payload: StandardSchemaV1, input: unknown) =>
  defineContract({ client: { a: { payload } } })
    .clientMessages.get('a')!
    .payload.validate(input);

/** A schema that always reports the same issues. */
const finding = (...issues: StandardSchemaV1.Issue[]): StandardSchemaV1 => ({
  '~standard': { version: 1, vendor: 'test', validate: () => ({ issues }) },
});

describe('a Standard Schema payload', () => {
  it('returns the output of the schema', () => {
    expect(validate(z.object({ at: z.string().transform(Number) }), { at: '5' })).toEqual({
      value: { at: 5 },
    });
    expect(validate(v.object({ at: v.pipe(v.string(), v.transform(Number)) }), { at: '5' })).toEqual({
      value: { at: 5 },
    });
  });

  it('may be a function', () => {
    const schema = Object.assign(() => undefined, finding({ message: 'no' }));
    expect(validate(schema, 1)).toEqual({ issues: [{ path: '', message: 'no' }] });
  });

  it('returns a promise if the schema does', async () => {
    const schema = z.string().refine(async (text) => Promise.resolve(text === 'yes'), 'must agree');
    const asynchronous: StandardSchemaV1 = schema;
    const input = z.object({ nested: schema });
    expect(validate(asynchronous, 'yes')).toBeInstanceOf(Promise);
    expect(await validate(input, { nested: 'no' })).toEqual({
      issues: [{ path: 'nested', message: 'must agree' }],
    });
  });

  it('awaits what is a promise of another kind, as one of another realm is', async () => {
    const then = (resolve: (result: unknown) => void) => resolve({ issues: [{ message: 'is refused' }] });
    const schema = { '~standard': { version: 1, vendor: 'test', validate: () => ({ then }) } };
    const result = validate(schema as never, {});
    expect(result).toBeInstanceOf(Promise);
    expect(await result).toEqual({ issues: [{ path: '', message: 'is refused' }] });
  });

  it('passes on what the schema throws or rejects with', async () => {
    const throwing = (act: () => never | Promise<never>): StandardSchemaV1 => ({
      '~standard': { version: 1, vendor: 'test', validate: act },
    });
    expect(() =>
      validate(
        throwing(() => {
          throw new Error('broke');
        }),
        1,
      ),
    ).toThrow('broke');
    await expect(
      validate(
        throwing(() => Promise.reject(new Error('away'))),
        1,
      ),
    ).rejects.toThrow('away');
  });

  it('reads path segments of both kinds and truncates long ones', () => {
    const long = Array.from({ length: 30 }, (_, index) => `segment${index}`);
    expect(validate(finding({ message: 'm', path: ['items', { key: 0 }, 'name'] }), 1)).toEqual({
      issues: [{ path: 'items.0.name', message: 'm' }],
    });
    const shortened = long.slice(0, 20).join('.');
    expect(validate(finding({ message: 'm', path: long }), 1)).toHaveProperty('issues.0.path', shortened);
    const wide = finding({ message: 'm', path: ['x'.repeat(1_000)] });
    expect(validate(wide, 1)).toHaveProperty('issues.0.path', 'x'.repeat(256));
  });

  it('reports at most 20 issues', () => {
    const issues = Array.from({ length: 50 }, (_, index) => ({ message: `m${index}` }));
    expect(validate(finding(...issues), 1)).toHaveProperty('issues.length', 20);
  });

  it.each([
    [
      'zod’s unknown key',
      z.strictObject({ a: z.number() }),
      { a: 1, hunter2: 1 },
      '',
      'has an unknown property',
    ],
    [
      'valibot’s unknown key',
      v.strictObject({ a: v.number() }),
      { a: 1, hunter2: 1 },
      '',
      'has an unknown property',
    ],
    ['valibot’s received text', v.object({ a: v.number() }), { a: 'hunter2' }, 'a', 'is not valid'],
    ['valibot’s received short text', v.object({ a: v.number() }), { a: 'ab' }, 'a', 'is not valid'],
    ['valibot’s received number', v.object({ a: v.string() }), { a: 4711 }, 'a', 'is not valid'],
    ['a part of the value', finding({ message: 'not hunter2!' }), { deep: ['hunter2'] }, '', 'is not valid'],
    ['a key of the value', finding({ message: "no 'hunter2' here" }), { hunter2: 1 }, '', 'is not valid'],
  ])('never repeats %s', (_title, schema, input, path, message) => {
    expect(validate(schema as StandardSchemaV1, input)).toEqual({ issues: [{ path, message }] });
  });

  it('keeps a message that repeats no value', () => {
    expect(validate(z.object({ size: z.number().max(20) }), { size: 21 })).toEqual({
      issues: [{ path: 'size', message: 'Too big: expected number to be <=20' }],
    });
  });

  it('never accepts keys that lead to a prototype, even with a schema that accepts anything', () => {
    const input = JSON.parse(
      '{"a":{"__proto__":{"x":1},"constructor":2,"ok":[{"prototype":3,"constructor":{"prototype":4}}]}}',
    ) as unknown;
    expect(validate(z.any(), input)).toEqual({ value: { a: { constructor: 2, ok: [{ prototype: 3 }] } } });
    const clean = { a: [1, { b: 2, constructor: 'a word', toString: 1 }] };
    expect((validate(z.any(), clean) as { value: unknown }).value).toBe(clean);
  });

  it('refuses values nested deeper than 100 levels', () => {
    let input: unknown = 1;
    for (let level = 0; level < 50_000; level += 1) input = [input];
    expect(validate(z.any(), input)).toEqual({
      issues: [{ path: '', message: 'is nested deeper than 100 levels' }],
    });
  });
});
