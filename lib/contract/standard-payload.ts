import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Issue } from '../protocol/envelope.js';
import { MAX_ISSUES, refusal } from './payload-validator.js';
import type { PayloadValidator, Validation } from './payload-validator.js';
import { MAX_DEPTH, NestedTooDeep, withoutPollutingKeys } from './class/plain-input.js';
import { repeatsInput } from './class/repeated-input.js';

const MAX_PATH_SEGMENTS = 20;
const MAX_PATH_LENGTH = 256;

/** Validates by a Standard Schema. Errors that the schema throws reach the caller. */
export class StandardPayload implements PayloadValidator {
  private readonly schema: StandardSchemaV1;

  constructor(schema: StandardSchemaV1) {
    this.schema = schema;
  }

  validate(input: unknown): Validation | Promise<Validation> {
    let clean: unknown;
    try {
      clean = withoutPollutingKeys(input);
    } catch (error) {
      if (error instanceof NestedTooDeep) return refusal('', `is nested deeper than ${MAX_DEPTH} levels`);
      throw error;
    }
    const result = this.schema['~standard'].validate(clean);
    if (!('then' in result)) return conclude(result, clean);
    // Callers test for a native promise, and a schema may return another thenable.
    return Promise.resolve(result).then((settled) => conclude(settled, clean));
  }
}

function conclude(result: StandardSchemaV1.Result<unknown>, input: unknown): Validation {
  if (!result.issues) return { value: result.value };
  return { issues: result.issues.slice(0, MAX_ISSUES).map((issue) => issueFrom(issue, input)) };
}

function issueFrom(issue: StandardSchemaV1.Issue, input: unknown): Issue {
  const segments = (issue.path ?? []).map((segment) => (typeof segment === 'object' ? segment.key : segment));
  const unknownProperty = namesUnknownProperty(issue);
  // valibot ends the path with the unknown property, which is client text.
  if (unknownProperty === 'last segment') segments.pop();
  const path = segments.slice(0, MAX_PATH_SEGMENTS).map(String).join('.').slice(0, MAX_PATH_LENGTH);
  if (unknownProperty) return { path, message: 'has an unknown property' };
  return {
    path,
    message: repeatsInput(issue.message, valueAt(input, segments)) ? 'is not valid' : issue.message,
  };
}

/** How zod and valibot report an unknown property of a strict object. */
function namesUnknownProperty(issue: StandardSchemaV1.Issue): 'in the message' | 'last segment' | undefined {
  const { code, type, expected } = issue as { code?: unknown; type?: unknown; expected?: unknown };
  if (code === 'unrecognized_keys') return 'in the message';
  return type === 'strict_object' && expected === 'never' ? 'last segment' : undefined;
}

function valueAt(input: unknown, segments: readonly PropertyKey[]): unknown {
  let value = input;
  for (const segment of segments) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[segment];
  }
  return value;
}
