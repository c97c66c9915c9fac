import { isPollutingKey } from '../../protocol/codec.js';

/** Deeper input is refused, so that recursion cannot exhaust the stack. */
export const MAX_DEPTH = 100;

/** Thrown below at depth `MAX_DEPTH + 1`; validators turn it into an issue. */
export class NestedTooDeep extends Error {}

/** True for objects as `JSON.parse` creates them from `{…}`; false for class instances, arrays and dates. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function assertDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new NestedTooDeep();
}

/** Copies a value without a declared type. Values that are not JSON, except dates, are passed by reference. */
export function copyUntyped(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  assertDepth(depth);
  if (Array.isArray(value)) return value.map((item) => copyUntyped(item, depth + 1));
  if (value instanceof Date) return new Date(value.valueOf());
  if (!isPlainObject(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (!isPollutingKey(key, value[key])) copy[key] = copyUntyped(value[key], depth + 1);
  }
  return copy;
}

/** The value without polluting keys; the same reference if it has none. */
export function withoutPollutingKeys(value: unknown): unknown {
  return holdsPollutingKey(value, 0) ? copyUntyped(value, 0) : value;
}

function holdsPollutingKey(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  assertDepth(depth);
  if (Array.isArray(value)) return value.some((item) => holdsPollutingKey(item, depth + 1));
  if (!isPlainObject(value)) return false;
  for (const key of Object.keys(value)) {
    if (isPollutingKey(key, value[key]) || holdsPollutingKey(value[key], depth + 1)) return true;
  }
  return false;
}
