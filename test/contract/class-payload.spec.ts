import { Transform, Type } from 'class-transformer';
import {
  IsInt,
  IsNotEmpty,
  IsString,
  Matches,
  Max,
  useContainer,
  Validate,
  ValidateNested,
} from 'class-validator';
import type { ValidatorConstraintInterface } from 'class-validator';
import { IsObject, IsOptional, ValidatorConstraint } from 'class-validator';
import { afterEach, describe, expect, it } from 'vitest';
import { ClassPayload } from '../../lib/contract/class/class-payload.js';
import * as classes from './decorated-classes.js';

const strip = (target: new () => object, groups: string[] = []) => new ClassPayload(target, groups, 'strip');
const issuesOf = async (target: new () => object, input: unknown) =>
  (await strip(target).validate(input)).issues;

describe('a class payload', () => {
  it.each([
    [[], 'an array'],
    [null, 'null'],
    [undefined, 'nothing'],
    ['text', 'a string'],
    [new Date(), 'an object'],
  ])('refuses %j where an object is expected', async (input, kind) => {
    expect(await issuesOf(classes.Flat, input)).toEqual([
      { path: '', message: `expected an object, got ${kind}` },
    ]);
  });

  it('reports a dotted path and the message of class-validator', async () => {
    const input = {
      home: { street: 1 },
      others: [{ street: 'a' }, { street: 'b', number: 'x' }, null],
      free: {},
    };
    expect(await issuesOf(classes.Nested, input)).toEqual([
      { path: 'home.street', message: 'street must be a string' },
      { path: 'others.1.number', message: 'number must be an integer number' },
      { path: 'others.2', message: 'each value in nested property others must be either object or array' },
    ]);
  });

  it('reports at most 20 issues', async () => {
    const children = Array.from({ length: 50 }, () => ({ label: 1 }));
    expect(await issuesOf(classes.Tree, { label: 'a', children })).toHaveLength(20);
  });

  it('leaves the key of a map, which is client text, out of the path', async () => {
    const input = { words: 'a', numbers: 1, map: { hunter2: { street: 5 } } };
    expect(await issuesOf(classes.Collections, input)).toEqual([
      { path: 'map.*.street', message: 'street must be a string' },
    ]);
  });

  it("never repeats a value, even if the rule's message would", async () => {
    class Chatty {
      @Matches(/^a$/, { message: 'got $value' }) template!: string;
      @Matches(/^a$/, { message: ({ value }) => `got ${String(value)}` }) text!: string;
      @Max(1, { message: ({ object }) => `got ${JSON.stringify(object)}` }) whole!: number;
      @IsString({ message: ({ value }) => `got ${(value as { secret: string }).secret}` }) throwing!: string;
      @IsString({ message: 'got $value' }) object!: string;
      @Max(1, { message: ({ property, constraints }) => `${property} is over ${String(constraints[0])}` })
      kept!: number;
      @Max(1, { message: '$property of $target over $constraint1' }) named!: number;
    }
    const input = {
      template: 'hunter2',
      text: 'hunter2',
      whole: 42,
      throwing: { secret: 'hunter2' },
      object: {},
      kept: 5,
      named: 5,
    };
    expect(await issuesOf(Chatty, input)).toEqual([
      { path: 'template', message: 'template is not valid' },
      { path: 'text', message: 'text is not valid' },
      { path: 'whole', message: 'whole is not valid' },
      { path: 'throwing', message: 'throwing is not valid' },
      { path: 'object', message: 'object is not valid' },
      { path: 'kept', message: 'kept is over 1' },
      { path: 'named', message: 'named of Chatty over 1' },
    ]);
  });

  it('drops __proto__, and constructor with a prototype, at any depth, and keeps every other key', async () => {
    class Open {
      @IsObject() data!: Record<string, unknown>;
      @IsOptional() @IsObject() @Type(() => classes.Address) typed?: classes.Address;
    }
    const input = JSON.parse(
      '{"__proto__":{"a":1},"data":{"constructor":1,"toString":2,"list":[{"__proto__":{"polluted":1},' +
        '"constructor":{"prototype":{"polluted":1}},"prototype":2,"ok":3}]},"constructor":{"prototype":{}},' +
        '"typed":{"street":"s","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
    ) as unknown;
    const { value } = (await strip(Open).validate(input)) as { value: Open };
    expect(Object.getPrototypeOf(value)).toBe(Open.prototype);
    expect(value.data).toStrictEqual({ constructor: 1, toString: 2, list: [{ prototype: 2, ok: 3 }] });
    expect(Object.keys(value.typed!)).not.toContain('__proto__');
    expect(value.typed!.constructor).toBe(classes.Address);
    expect('polluted' in value.typed!).toBe(false);
    expect(await new ClassPayload(Open, [], 'refuse').validate(input)).toEqual({
      issues: [{ path: '', message: 'has an unknown property' }],
    });
  });

  it('reads own properties only', async () => {
    const input: unknown = Object.create(null, { text: { value: 'own', enumerable: true } });
    class Said {
      @IsString() text!: string;
    }
    expect(await strip(Said).validate(input)).toEqual({ value: { text: 'own' } });
    const home: unknown = Object.create({ street: 'inherited' });
    expect(await issuesOf(classes.Nested, { home, others: [], free: {} })).toMatchObject([
      { path: 'home.street' },
    ]);
  });

  it('does not change its input and shares nothing with it', async () => {
    const input = { shape: { kind: 'circle', radius: 1 }, shapes: [{ kind: 'square', side: 'x' }] };
    const before = structuredClone(input);
    await strip(classes.Drawing).validate(input);
    expect(input).toEqual(before);
    const free = { a: [1] };
    const accepted = await strip(classes.Nested).validate({ home: { street: 's' }, others: [], free });
    expect((accepted as { value: classes.Nested }).value.free).not.toBe(free);
  });

  it.each([
    ['nested objects', classes.Tree, (depth: number) => chain('left', { label: 'a' }, depth)],
    ['untyped values', classes.Flat, (depth: number) => ({ anything: chain('a', {}, depth) })],
    ['transformed classes', classes.Transformed, (depth: number) => ({ extra: chain('a', {}, depth) })],
    ['arrays in arrays', classes.Tree, (depth: number) => ({ label: 'a', children: lists(depth) })],
  ])('refuses %s 50,000 levels deep instead of exhausting the stack', async (_title, target, make) => {
    expect(await issuesOf(target, make(50_000))).toEqual([
      { path: '', message: 'is nested deeper than 100 levels' },
    ]);
  });

  it.each([
    [
      'null in a discriminated list',
      classes.Drawing,
      { shape: { kind: 'circle', radius: 1 }, shapes: [null] },
    ],
    [
      'a text conversion with a hostile toString',
      classes.Collections,
      { words: 'a', numbers: 1, text: { toString: 1, valueOf: 1 } },
    ],
    [
      'a date conversion with a hostile valueOf',
      classes.Nested,
      { home: { street: 's', since: { valueOf: 1, toString: 1 } }, others: [], free: {} },
    ],
  ])('returns a result where class-transformer would throw: %s', async (_title, target, input) => {
    await expect(Promise.resolve(strip(target).validate(input))).resolves.toBeDefined();
  });

  it('passes on what a rule throws, synchronously or as a rejection', async () => {
    class Throwing {
      @Validate(ThrowsNow) now!: string;
    }
    class Rejecting {
      @Validate(Rejects) later!: string;
      @Validate(Rejects) again!: string;
    }
    class Both {
      @Validate(Rejects) later!: string;
      @Validate(ThrowsNow) now!: string;
    }
    expect(() => strip(Throwing).validate({})).toThrow('rule broke');
    await expect(strip(Rejecting).validate({})).rejects.toThrow('database away');
    // Vitest fails the run on an unhandled rejection, so the abandoned one is seen here too.
    expect(() => strip(Both).validate({})).toThrow('rule broke');
  });

  it('passes on what a @Transform throws, unless input of a wrong type can be the reason', () => {
    class Broken {
      @Transform(() => {
        throw new Error('no connection');
      })
      @IsNotEmpty()
      name!: string;
    }
    expect(() => strip(Broken).validate({ name: 5 })).toThrow('no connection');
  });

  it('refuses by a rule that is declared asynchronous and returns synchronously', async () => {
    class Declared {
      @Validate(RefusesAtOnce) name!: string;
    }
    expect(await issuesOf(Declared, { name: 'n' })).toEqual([{ path: 'name', message: 'name is refused' }]);
  });

  it('does not read the properties it strips', async () => {
    expect(await issuesOf(classes.Tree, { label: 'a', extra: lists(50_000) })).toBeUndefined();
  });

  it('refuses a nested class that has no rules, as class-validator does', async () => {
    class Outer {
      @ValidateNested() @Type(() => classes.NoRules) inner!: classes.NoRules;
    }
    expect(await issuesOf(Outer, { inner: { name: 'x' } })).toEqual([
      { path: 'inner', message: 'is not an object of a type with rules' },
    ]);
  });
});

describe('a constraint class', () => {
  afterEach(() => useContainer({ get: (type: new () => unknown) => new type() }, { fallback: true }));

  it('comes from the container that is set when the message arrives', async () => {
    class Numbered {
      @IsInt() @Validate(FromContainer) n!: number;
    }
    const payload = strip(Numbered);
    for (const answer of [true, false, true]) {
      const get = (type: unknown) => (type === FromContainer ? { validate: () => answer } : undefined);
      useContainer({ get }, { fallback: true });
      expect('value' in (await payload.validate({ n: 1 }))).toBe(answer);
    }
  });
});

@ValidatorConstraint()
class FromContainer implements ValidatorConstraintInterface {
  validate(): boolean {
    return true;
  }
}

@ValidatorConstraint()
class ThrowsNow implements ValidatorConstraintInterface {
  validate(): boolean {
    throw new Error('rule broke');
  }
}

@ValidatorConstraint({ async: true })
class RefusesAtOnce implements ValidatorConstraintInterface {
  validate(): boolean {
    return false;
  }
  defaultMessage(): string {
    return '$property is refused';
  }
}

@ValidatorConstraint({ async: true })
class Rejects implements ValidatorConstraintInterface {
  validate(): Promise<boolean> {
    return Promise.reject(new Error('database away'));
  }
}

function chain(key: string, fields: object, depth: number): object {
  let value: object = { ...fields };
  for (let level = 0; level < depth; level += 1) value = { ...fields, [key]: value };
  return value;
}

function lists(depth: number): unknown[] {
  let value: unknown[] = [];
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}
