import { readFileSync } from 'node:fs';
import { Transform, Type } from 'class-transformer';
import { Allow, IsInt, IsObject, IsOptional, IsString, ValidateNested } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { ClassPayload } from '../../lib/contract/class/class-payload.js';
import { runLibraries, type ClassCase } from './fuzz/reference.js';

class Item {
  @IsOptional() @IsString() @Transform(() => 'changed') name?: string;
}
class Sample {
  @IsOptional() @IsObject() free?: Record<string, unknown>;
  @IsOptional() @Type(() => Item) @ValidateNested() map?: Map<string, Item>;
  @IsOptional() @Type(() => Map) tags?: Map<string, string>;
  @IsOptional() @Type(() => Buffer) file?: Buffer;
  @IsOptional() @IsInt({ message: 'got $value' }) number?: number;
  @IsOptional() @Transform(({ value }: { value: string }) => value.trim()) @IsString() trimmed?: string;
}
const subTypes = [{ name: 'item', value: Item }];
class Seen {
  @Allow() @Type(() => Item, { discriminator: { property: 'kind', subTypes } }) item?: Item;
  @Allow() @Transform(({ obj }: { obj: { item: object } }) => 'kind' in obj.item) saw?: boolean;
}
const deep = JSON.parse(`{"free":${'{"a":'.repeat(150)}1${'}'.repeat(150)}}`) as object;

interface Difference {
  readonly target?: new () => object;
  readonly input: unknown;
  readonly unknownProperties?: 'refuse';
  readonly ours: unknown;
}
/** One example for each row of CLASS-PAYLOADS.md, on which the libraries decide differently. */
const differences: Readonly<Record<string, Difference>> = {
  'polluting-keys': {
    input: JSON.parse('{"free":{"__proto__":{"a":1},"prototype":1}}'),
    unknownProperties: 'refuse',
    ours: { issues: [{ path: '', message: 'has an unknown property' }] },
  },
  'object-names': {
    input: { free: { constructor: 1, toString: 2 } },
    ours: { value: { free: { constructor: 1, toString: 2 } } },
  },
  'map-keys': {
    input: { map: { size: {}, name: {} } },
    ours: { value: { map: new Map([['size', {}], ['name', {}]]) } }, // prettier-ignore
  },
  'built-in-types': {
    input: { tags: { a: { b: 1 } } },
    ours: { value: { tags: new Map([['a', { b: 1 }]]) } },
  },
  buffers: {
    input: { file: { length: 2, 0: 65, 1: 66 } },
    ours: { issues: [{ path: 'file', message: 'is not the JSON of a Buffer' }] },
  },
  throws: { input: { trimmed: 5 }, ours: { issues: [{ path: 'trimmed', message: 'is not valid' }] } },
  'transform-input': {
    target: Seen,
    input: { item: { kind: 'item' }, saw: 1 },
    ours: { value: { item: {}, saw: true } },
  },
  depth: { input: deep, ours: { issues: [{ path: '', message: 'is nested deeper than 100 levels' }] } },
  messages: {
    input: { number: 'x' },
    ours: { issues: [{ path: 'number', message: 'number is not valid' }] },
  },
};

describe('the differences between a class payload and the libraries', () => {
  it('are exactly those that CLASS-PAYLOADS.md lists', () => {
    const text = readFileSync(new URL('../../lib/contract/class/CLASS-PAYLOADS.md', import.meta.url), 'utf8');
    expect([...text.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name)).toEqual(Object.keys(differences));
  });

  it.each(Object.entries(differences))('%s', async (_name, { target = Sample, input, ours, ...rest }) => {
    const one: ClassCase = { target, groups: [], unknownProperties: 'strip', ...rest };
    const got = await new ClassPayload(target, [], one.unknownProperties).validate(input);
    expect(got).toMatchObject(ours as object);
    expect(await runLibraries(one, input as object)).not.toStrictEqual(got);
  });
});
