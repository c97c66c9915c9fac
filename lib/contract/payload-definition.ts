import type { StandardSchemaV1 } from '@standard-schema/spec';
import { ClassPayload } from './class/class-payload.js';
import type { UnknownProperties } from './class/class-payload.js';
import type { Class } from './class/built-in-types.js';
import { kindOf, noPayload } from './payload-validator.js';
import type { PayloadValidator } from './payload-validator.js';
import { StandardPayload } from './standard-payload.js';

const compiled = new WeakMap<object, Map<string, PayloadValidator>>();

/** The validator of a definition, compiled once. `name` starts the error message for an invalid definition. */
export function validatorFor(
  name: string,
  definition: unknown,
  groups: unknown,
  options: { readonly unknownProperties?: UnknownProperties },
): PayloadValidator {
  if (groups !== undefined && !isGroups(groups)) {
    throw definitionError(name, 'has groups that are not a list of names', "write groups: ['create']");
  }
  if (definition === null) return noPayload;
  if (isStandardSchema(definition)) return schemaValidator(name, definition, groups);
  if (isClass(definition))
    return classValidator(name, definition, groups ?? [], options.unknownProperties ?? 'strip');
  throw definitionError(
    name,
    `is ${typeof definition === 'function' ? 'a function that is not a class' : kindOf(definition)}`,
    'use a class with class-validator decorators, a Standard Schema, or null for none',
  );
}

/** An error in the contract: its subject, the problem and the fix. */
export function definitionError(subject: string, problem: string, fix: string): Error {
  return new Error(`${subject} ${problem}; ${fix}.`);
}

function schemaValidator(
  name: string,
  schema: StandardSchemaV1,
  groups: readonly string[] | undefined,
): PayloadValidator {
  if (groups?.length) {
    throw definitionError(name, 'is a schema, which has no groups', 'remove groups or use a class');
  }
  return compileOnce(schema, '', () => new StandardPayload(schema));
}

function classValidator(
  name: string,
  target: Class,
  groups: readonly string[],
  unknownProperties: UnknownProperties,
): PayloadValidator {
  return compileOnce(target, JSON.stringify([unknownProperties, [...new Set(groups)].sort()]), () => {
    const validator = new ClassPayload(target, groups, unknownProperties);
    if (validator.hasRules) return validator;
    const where = groups.length ? ` in the groups ${groups.join(', ')}` : '';
    const problem = `is the class ${target.name || '(anonymous)'}, which has no class-validator decorators${where}`;
    throw definitionError(name, problem, 'decorate its properties, or use a schema');
  });
}

function compileOnce(definition: object, variant: string, create: () => PayloadValidator): PayloadValidator {
  const variants = compiled.get(definition) ?? new Map<string, PayloadValidator>();
  const known = variants.get(variant) ?? create();
  compiled.set(definition, variants.set(variant, known));
  return known;
}

function isGroups(groups: unknown): groups is readonly string[] {
  return Array.isArray(groups) && groups.every((group) => typeof group === 'string' && group !== '');
}

function isStandardSchema(value: unknown): value is StandardSchemaV1 {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard: unknown = (value as { '~standard'?: unknown })['~standard'];
  return (
    typeof standard === 'object' &&
    standard !== null &&
    typeof (standard as { validate?: unknown }).validate === 'function'
  );
}

function isClass(value: unknown): value is Class {
  return typeof value === 'function' && typeof value.prototype === 'object';
}
