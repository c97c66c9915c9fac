import { Expose, Transform, Type } from 'class-transformer';
import {
  Allow,
  ArrayUnique,
  IsArray,
  IsInstance,
  IsNotEmpty,
  IsOptional,
  IsString,
  Validate,
  ValidateIf,
  ValidateNested,
  ValidatorConstraint,
} from 'class-validator';
import { describe, expect, it } from 'vitest';
import { ClassPayload } from '../../lib/contract/class/class-payload.js';
import * as classes from './decorated-classes.js';

const validate = (target: new () => object, input: unknown) =>
  new ClassPayload(target, [], 'strip').validate(input);

/** A class with a property `file` of a given type, and one that only class-transformer's rules can read. */
function withType(type: unknown, property?: PropertyDecorator): new () => object {
  class WithType {
    @Expose({ name: 'shown_name' }) @IsOptional() @IsString() name?: string;
    file!: unknown;
  }
  Type(() => type as () => void)(WithType.prototype, 'file');
  (property ?? Allow())(WithType.prototype, 'file');
  return WithType;
}

class List extends Array {}
class Dictionary extends Map {}
class TrimmedName {
  @Transform(({ value }: { value: string }) => value.trim()) @IsNotEmpty() name!: string;
}
class ParsedId {
  @Transform(({ value }: { value: string }) => BigInt(value)) @Allow() id!: bigint;
}

describe('what a client cannot make a class payload do', () => {
  it.each([
    ['a length', { length: 3e7 }],
    ['a length in the JSON of a Buffer', { type: 'Buffer', data: { length: 3e7 } }],
    ['a number', 3e7],
    ['true', true],
    ['an empty object', {}],
    ['numbers in a list', [1, 2]],
  ])('allocate a Buffer by %s', (_title, file) => {
    expect(validate(withType(Buffer), { file })).toMatchObject({
      issues: [{ path: expect.stringMatching(/^file/) as string, message: 'is not the JSON of a Buffer' }],
    });
  });

  it('creates a Buffer from text or from the JSON of a Buffer', () => {
    const json = JSON.parse(JSON.stringify({ file: Buffer.from('abc') })) as unknown;
    expect(validate(withType(Buffer), json)).toEqual({ value: { file: Buffer.from('abc') } });
    expect(validate(withType(Buffer), { file: 'abc' })).toEqual({ value: { file: Buffer.from('abc') } });
  });

  it.each([
    Array,
    List,
    Uint8Array,
    Float64Array,
    ArrayBuffer,
    DataView,
    Set,
    WeakMap,
    Dictionary,
    RegExp,
    URL,
  ])('make a %o of an object: it stays as it is, and is refused where an instance is wanted', (type) => {
    for (const file of [{ length: 3e7 }, { 4294967294: 1 }, { size: 1, lastIndex: 5, href: 'x' }]) {
      expect(validate(withType(type), { file })).toStrictEqual({
        value: Object.assign(new (withType(type))(), { file }) && expect.objectContaining({ file }),
      });
      expect(validate(withType(type, IsInstance(type)), { file })).toMatchObject({
        issues: [{ path: 'file' }],
      });
      expect(validate(withType(type, ValidateNested()), { file })).toMatchObject({
        issues: [{ path: 'file' }],
      });
    }
  });

  it.each([
    [Promise, { a: 1 }],
    [Symbol, { a: 1 }],
    [BigInt, { a: 1 }],
    [Function, { a: 1 }],
    [URLSearchParams, { a: 1 }],
    [Error, { stack: 'x' }],
  ])('construct a %o', (type, file) => {
    const { file: read } = (validate(withType(type), { file }) as { value: { file: object } }).value;
    expect(read).toStrictEqual(file);
  });

  it.each([
    ['an object without text for a String', withType(String), { file: { toString: 1, valueOf: 1 } }, 'file'],
    [
      'an object without a number for a Number',
      withType(Number),
      { file: { toString: 1, valueOf: 1 } },
      'file',
    ],
    ['an object without a time for a Date', withType(Date), { file: { toString: 1, valueOf: 1 } }, 'file'],
    ['null in a discriminated list', classes.Drawing, { shape: {}, shapes: [{}, null] }, 'shapes.1'],
    ['another type for a @Transform', TrimmedName, { name: 5 }, 'name'],
    ['text that a @Transform cannot parse', ParsedId, { id: 'one' }, 'id'],
  ])('throw by %s: the payload is refused', (_title, target, input, path) => {
    expect(validate(target, input)).toMatchObject({ issues: [{ path }] });
  });

  it('throw through the name of an inherited getter: the payload is refused', () => {
    class Base {
      @Allow() get label(): string {
        return 'computed';
      }
    }
    class Derived extends Base {
      @IsString() name!: string;
    }
    class Exposing extends Derived {
      @Expose({ name: 'n' }) @Allow() other?: string;
    }
    for (const target of [Derived, Exposing]) {
      expect(validate(target, { name: 'n', label: 'x' })).toEqual({
        issues: [{ path: 'label', message: 'cannot be set' }],
      });
    }
  });

  it('throw through a value that a rule does not expect: the payload is refused', () => {
    class Items {
      @IsArray() @ArrayUnique((item: { id: string }) => item.id.trim()) items!: unknown[];
    }
    @ValidatorConstraint()
    class Filled {
      validate(value: string) {
        return value.trim() !== '';
      }
    }
    class Custom {
      @Validate(Filled) text!: string;
    }
    class Conditional {
      @ValidateIf((object: { text: string }) => object.text.startsWith('a')) @IsString() text!: string;
    }
    expect(validate(Items, { items: [{ id: 5 }] })).toEqual({
      issues: [{ path: 'items', message: 'items is not valid' }],
    });
    for (const target of [Custom, Conditional]) {
      expect(validate(target, { text: 5 })).toEqual({
        issues: [{ path: 'text', message: 'text is not valid' }],
      });
    }
  });
});

describe('@Type(() => Map) and @Type(() => Set)', () => {
  class Tags {
    @IsOptional() @Type(() => Map) @IsInstance(Map) @IsString({ each: true }) byName?: Map<string, string>;
    @IsOptional() @Type(() => Set) @IsInstance(Set) @IsString({ each: true }) all?: Set<string>;
    @IsOptional() @Type(() => Map) @IsInstance(Map) untyped?: unknown;
  }

  it('name the collection, which is filled and whose items are checked', () => {
    const input = {
      byName: { a: 'x', size: 'y', constructor: 'z' },
      all: ['x', 'x'],
      untyped: { a: { b: 1 } },
    };
    const { value } = validate(Tags, input) as { value: Tags };
    expect(value.byName).toStrictEqual(new Map([['a', 'x'], ['size', 'y'], ['constructor', 'z']])); // prettier-ignore
    expect(value.all).toStrictEqual(new Set(['x']));
    expect(value.untyped).toStrictEqual(new Map([['a', { b: 1 }]]));
    expect(Object.keys(value.byName!)).toEqual([]);
    expect(validate(Tags, { byName: { a: 1 }, all: [2] })).toEqual({
      issues: [
        { path: 'byName', message: 'each value in byName must be a string' },
        { path: 'all', message: 'each value in all must be a string' },
      ],
    });
    expect(validate(Tags, { byName: 'a', all: 'x' })).toMatchObject({
      issues: [{ path: 'byName' }, { path: 'all' }],
    });
  });
});

describe('a @Type function', () => {
  class Named {
    @IsString() name!: string;
  }
  class Numbered {
    @IsString() number!: string;
  }
  type Help = { object: Record<string, unknown>; newObject: object; property: string };

  it('gets the arguments that class-transformer passes, for any parameter list', () => {
    const seen: unknown[] = [];
    const pick = (help: Help) => {
      seen.push([help.newObject.constructor.name, help.property]);
      return 'n' in help.object ? Numbered : Named;
    };
    class Rest {
      @ValidateNested() @Type((...parameters: unknown[]) => pick(parameters[0] as Help)) item!: object;
    }
    class Default {
      @ValidateNested() @Type((help = {} as never) => pick(help)) item!: object;
    }
    class Destructured {
      @ValidateNested() @Type((help) => pick(help as unknown as Help)) item!: object;
    }
    for (const target of [Rest, Default, Destructured]) {
      expect(validate(target, { item: { name: 'a' } })).toHaveProperty('value.item', { name: 'a' });
      expect(validate(target, { n: 1, item: { number: 'a' } })).toHaveProperty('value.item', { number: 'a' });
      expect(validate(target, { n: 1, item: { name: 'a' } })).toMatchObject({
        issues: [{ path: 'item.number' }],
      });
    }
    expect(seen.slice(0, 2)).toEqual([['Rest', 'item'], ['Rest', 'item']]); // prettier-ignore
  });
});

describe('a field', () => {
  it('is read if a base class has a getter of the same name', () => {
    class Base {
      get label(): string {
        return 'computed';
      }
    }
    class Derived extends Base {
      @IsString() other = '';
    }
    // The output for `label = ''` with `useDefineForClassFields`.
    class Defining extends Derived {
      constructor() {
        super();
        Object.defineProperty(this, 'label', {
          value: '',
          writable: true,
          enumerable: true,
          configurable: true,
        });
      }
    }
    IsString()(Defining.prototype, 'label');
    expect(validate(Defining, { other: 'o', label: 'own' })).toEqual({ value: { other: 'o', label: 'own' } });
    expect(validate(Defining, { other: 'o', label: 5 })).toMatchObject({ issues: [{ path: 'label' }] });
  });
});
