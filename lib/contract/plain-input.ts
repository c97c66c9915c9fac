/** Deeper input than this is refused, so that no walk over it can exhaust the stack. */
export const MAX_DEPTH = 100;

/** Thrown by the walks below at depth `MAX_DEPTH + 1`; validators turn it into an issue. */
export class NestedTooDeep extends Error {}

const RESERVED_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Keys that never reach the application, wherever in a payload they stand. */
export function isReservedKey(key: string): boolean {
  return RESERVED_KEYS.has(key);
}

/** True for what `JSON.parse` makes of `{…}`; class instances, arrays and dates are something else. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function assertDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new NestedTooDeep();
}

/**
 * Copies a value nobody declared a type for, as class-transformer does: keys that name a member of
 * `Object.prototype` are left out. Values JSON cannot hold (other than dates) pass by reference.
 */
export function copyUntyped(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  assertDepth(depth);
  if (Array.isArray(value)) return value.map((item) => copyUntyped(item, depth + 1));
  if (value instanceof Date) return new Date(value.valueOf());
  if (!isPlainObject(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (key in Object.prototype || isReservedKey(key)) continue;
    copy[key] = copyUntyped(value[key], depth + 1);
  }
  return copy;
}

/** The value without reserved keys; the very same reference when it has none. */
export function withoutReservedKeys(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  assertDepth(depth);
  if (Array.isArray(value)) {
    const items = value.map((item) => withoutReservedKeys(item, depth + 1));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isPlainObject(value)) return value;
  let changed = false;
  const kept: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (isReservedKey(key)) {
      changed = true;
      continue;
    }
    kept[key] = withoutReservedKeys(value[key], depth + 1);
    changed ||= kept[key] !== value[key];
  }
  return changed ? kept : value;
}
