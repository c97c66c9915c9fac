import type { Issue } from '../protocol/envelope.js';

/** More issues than this help nobody and would let a small message cause a large answer. */
export const MAX_ISSUES = 20;

/** What became of a payload: the value to hand on, or why it was refused. Test `issues` to tell them apart. */
export type Validation<T = unknown> =
  { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

/** Decides about one payload; answers synchronously unless an asynchronous rule was met. */
export interface PayloadValidator {
  validate(input: unknown): Validation | Promise<Validation>;
}

/** A refusal with a single issue. */
export function refusal(path: string, message: string): Validation {
  return { issues: [{ path, message }] };
}

/** The validator of `payload: null`: a message that carries nothing. */
export const noPayload: PayloadValidator = Object.freeze({
  validate(input: unknown): Validation {
    return input === undefined || input === null
      ? { value: null }
      : refusal('', `expected no payload, got ${kindOf(input)}`);
  },
});

/** Names the kind of a value for a message, never the value itself. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
