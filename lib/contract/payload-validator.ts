import type { Issue } from '../protocol/envelope.js';

/** The most issues in one error, so that a small message cannot cause a large reply. */
export const MAX_ISSUES = 20;

/** The result of a validation: the validated value, or the issues. */
export type Validation<T = unknown> =
  { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

/** Validates payloads; returns a promise only if a rule is asynchronous. */
export interface PayloadValidator {
  validate(input: unknown): Validation | Promise<Validation>;
}

/** A failed validation with one issue. */
export function refusal(path: string, message: string): Validation {
  return { issues: [{ path, message }] };
}

/** The validator of `payload: null`, for messages without payload. */
export const noPayload: PayloadValidator = Object.freeze({
  validate(input: unknown): Validation {
    return input === undefined || input === null
      ? { value: null }
      : refusal('', `expected no payload, got ${kindOf(input)}`);
  },
});

/** The kind of a value for error messages, which must not contain the value itself. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
