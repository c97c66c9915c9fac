import { IsInt, IsString } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../lib/contract/contract.js';
import { Flat, Grouped, NoRules } from './decorated-classes.js';

class Said {
  @IsString() text!: string;
}

/** A definition that the compiler would refuse, as from JavaScript or through a cast. */
const define = (definition: unknown, options?: unknown) => () =>
  defineContract(definition as object, options as object);
const client = (entries: object) => define({ client: entries });

describe('defineContract', () => {
  it('creates one entry for each message, with its validators', () => {
    const contract = defineContract({
      client: { say: { payload: Said, reply: z.object({ id: z.number() }) }, leave: { payload: null } },
      server: {
        said: { payload: Said },
        moved: { payload: Said, delivery: 'volatile' },
        ask: { payload: null, reply: Said },
      },
    });
    expect([...contract.clientMessages.keys()]).toEqual(['say', 'leave']);
    expect(contract.clientMessages.get('say')).toMatchObject({ type: 'say', delivery: 'live' });
    expect(contract.clientMessages.get('say')?.reply?.validate({ id: 1 })).toEqual({ value: { id: 1 } });
    expect(contract.clientMessages.get('leave')?.reply).toBeUndefined();
    expect(contract.serverMessages.get('moved')?.delivery).toBe('volatile');
    expect(contract.serverMessages.get('ask')?.reply?.validate({ text: 'x' })).toEqual({
      value: Object.assign(new Said(), { text: 'x' }),
    });
  });

  it('has no messages for an omitted section', () => {
    const contract = defineContract({});
    expect(contract.client).toEqual({});
    expect(contract.clientMessages.size + contract.serverMessages.size).toBe(0);
  });

  it('is frozen, and does not change with the object it was created from', () => {
    const entries = { say: { payload: Said } };
    const contract = defineContract({ client: entries });
    Object.assign(entries, { other: { payload: null } });
    expect(
      Object.isFrozen(contract) && Object.isFrozen(contract.client) && Object.isFrozen(contract.client.say),
    ).toBe(true);
    expect(Object.keys(contract.client)).toEqual(['say']);
  });

  it('compiles a class once per groups and mode', () => {
    const one = defineContract({
      client: { a: { payload: Grouped, groups: ['create'] }, b: { payload: Grouped } },
    });
    const two = defineContract({ server: { c: { payload: Grouped, groups: ['create'] } } });
    const strict = defineContract({ client: { d: { payload: Grouped } } }, { unknownProperties: 'refuse' });
    expect(two.serverMessages.get('c')?.payload).toBe(one.clientMessages.get('a')?.payload);
    expect(one.clientMessages.get('b')?.payload).not.toBe(one.clientMessages.get('a')?.payload);
    expect(strict.clientMessages.get('d')?.payload).not.toBe(one.clientMessages.get('b')?.payload);
  });

  it('does not mistake the name of a group for a mode', () => {
    class Moded {
      @IsString({ groups: ['strip', 'refuse'] }) text!: string;
    }
    const entry = (group: string, unknownProperties: 'strip' | 'refuse') =>
      defineContract(
        { client: { a: { payload: Moded, groups: [group] } } },
        { unknownProperties },
      ).clientMessages.get('a')?.payload;
    const input = { text: 'x', other: 1 };
    expect(entry('refuse', 'strip')?.validate(input)).toEqual({ value: { text: 'x' } });
    expect(entry('strip', 'refuse')?.validate(input)).toHaveProperty('issues');
  });

  it('applies the groups of an entry to that entry alone', () => {
    const { clientMessages } = defineContract({
      client: {
        create: { payload: Grouped, groups: ['create'] },
        update: { payload: Grouped, groups: ['update'] },
      },
    });
    const input = { name: 'n', always: 'a' };
    expect(clientMessages.get('create')?.payload.validate(input)).toHaveProperty('value');
    expect(clientMessages.get('update')?.payload.validate(input)).toEqual({
      issues: [{ path: 'id', message: 'id must be an integer number' }],
    });
  });

  it('validates a reply without the groups of the payload', () => {
    const { clientMessages } = defineContract({
      client: { create: { payload: Grouped, reply: Said, groups: ['create'] } },
    });
    expect(clientMessages.get('create')?.reply?.validate({ text: 'x' })).toHaveProperty('value');
  });

  const refused: [string, () => unknown, RegExp][] = [
    ['an empty type', client({ '': { payload: null } }), /The client message "" has no name; give it/],
    ['a symbol as type', client({ [Symbol('s')]: { payload: null } }), /Symbol\(s\).*non-empty string/],
    [
      'a type of more than 128 characters',
      client({ ['x'.repeat(129)]: { payload: null } }),
      /129 characters; use at most 128/,
    ],
    ['a type beginning with $', client({ $auth: { payload: null } }), /"\$auth" has a reserved name/],
    ['ping', client({ ping: { payload: null } }), /"ping" has a reserved name/],
    [
      'pong for the server',
      define({ server: { pong: { payload: null } } }),
      /server message "pong" has a reserved name/,
    ],
    ['constructor', client({ constructor: { payload: null } }), /"constructor" has a reserved name/],
    ['prototype', client({ prototype: { payload: null } }), /"prototype" has a reserved name/],
    ['an own __proto__', client({ ['__proto__']: { payload: null } }), /"__proto__" has a reserved name/],
    [
      'a __proto__ written in a literal',
      client({ __proto__: { say: { payload: null } } }),
      /client section is not a plain/,
    ],
    [
      'one type on both sides',
      define({ client: { a: { payload: null } }, server: { a: { payload: null } } }),
      /"a" is declared for the server too/,
    ],
    ['no payload', client({ a: {} }), /"a": its payload is nothing; use a class/],
    ['a string as payload', client({ a: { payload: 'x' } }), /its payload is a string/],
    [
      'an arrow function as payload',
      client({ a: { payload: () => 1 } }),
      /its payload is a function that is not a class/,
    ],
    ['a plain object as reply', client({ a: { payload: null, reply: {} } }), /its reply is an object/],
    [
      'null as reply is fine, but 0 is not',
      client({ a: { payload: null, reply: 0 } }),
      /its reply is a number/,
    ],
    [
      'a class without decorators',
      client({ a: { payload: NoRules } }),
      /class NoRules, which has no class-validator decorators; decorate/,
    ],
    [
      'a class without decorators as reply',
      client({ a: { payload: null, reply: NoRules } }),
      /its reply is the class NoRules/,
    ],
    [
      'a class with none in the groups',
      client({ a: { payload: Said, groups: ['g'] } }),
      /decorators in the groups g/,
    ],
    [
      'groups for a schema',
      client({ a: { payload: z.string(), groups: ['g'] } }),
      /a schema, which has no groups/,
    ],
    [
      'groups that are no list',
      client({ a: { payload: Said, groups: 'g' } }),
      /groups that are not a list of names/,
    ],
    [
      'an unknown delivery',
      define({ server: { a: { payload: null, delivery: 'recoverable' } } }),
      /delivery "recoverable"; use 'live' or/,
    ],
    [
      'a delivery for a client message',
      client({ a: { payload: null, delivery: 'live' } }),
      /unknown option "delivery"; use only payload/,
    ],
    ['an unknown option', client({ a: { payload: null, replies: null } }), /unknown option "replies"/],
    ['an entry that is a class', client({ a: Said }), /"a" is not an object; write/],
    ['a section that is an array', define({ client: [] }), /client section is not a plain object/],
    ['a section that is null', define({ server: null }), /server section is not a plain object/],
    ['an unknown section', define({ clients: {} }), /"clients", which is neither client nor server/],
    ['no definition', define(undefined), /expected \{ client, server \}, got undefined/],
    [
      'an unknown mode',
      define({}, { unknownProperties: 'keep' }),
      /unknownProperties got "keep"; use 'strip' or 'refuse'/,
    ],
  ];
  it.each(refused)('refuses %s', (_title, act, sentence) => {
    expect(act).toThrow(sentence);
  });
});

describe('a contract', () => {
  it('strips unknown properties by default and refuses them on request, without naming them', () => {
    class Point {
      @IsInt() x!: number;
    }
    const input = { x: 1, secretName: 2 };
    const strip = defineContract({ client: { a: { payload: Point } } }).clientMessages.get('a');
    const refuse = defineContract(
      { client: { a: { payload: Point } } },
      { unknownProperties: 'refuse' },
    ).clientMessages.get('a');
    expect(strip?.payload.validate(input)).toEqual({ value: { x: 1 } });
    expect(refuse?.payload.validate(input)).toEqual({
      issues: [{ path: '', message: 'has an unknown property' }],
    });
  });

  it.each([undefined, null])('accepts %s where no payload is declared', (input) => {
    const { clientMessages } = defineContract({ client: { a: { payload: null } } });
    expect(clientMessages.get('a')?.payload.validate(input)).toEqual({ value: null });
  });

  it.each([0, '', false, {}, []])('refuses %j where no payload is declared', (input) => {
    const { clientMessages } = defineContract({ client: { a: { payload: null } } });
    expect(clientMessages.get('a')?.payload.validate(input)).toMatchObject({ issues: [{ path: '' }] });
  });

  it('returns no promise if no rule was asynchronous, refusals included', () => {
    const entry = defineContract({ client: { a: { payload: Flat } } }).clientMessages.get('a');
    expect(entry?.payload.validate({ name: 'n', size: 1, status: 'free' })).toHaveProperty('value');
    expect(entry?.payload.validate({ name: 'n', size: 0, status: 'free' })).toHaveProperty('issues');
  });
});
