/** What `JSON.stringify` writes as `{}` or as an object of indices, whatever it holds. */
const NOT_JSON =
  /^\[object ((?:Weak)?(?:Map|Set)|RegExp|Promise|Error|(?:Shared)?ArrayBuffer|DataView|\w+Array)\]$/;

interface Misfit {
  readonly what: string;
  readonly path: string;
}

/** Prototypes whose objects `JSON.stringify` writes property by property. */
const PLAIN_PROTOTYPES = new WeakSet<object>();

/**
 * The JSON of a payload. Throws a TypeError that names the message and the place of a value that JSON would lose: a Map,
 * a Set, a BigInt, NaN, a cycle, `undefined` in a list. As in JSON, properties that are `undefined` or functions are left out.
 */
export function payloadJson(payload: unknown, what: string, type?: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (error) {
    throw misfitError(payload, what, type) ?? error;
  }
  if (text === undefined || isLossy(payload)) {
    const error = misfitError(payload, what, type);
    if (error) throw error;
  }
  return text;
}

/** Whether JSON may have lost a value: a walk without allocations, run for every message. `JSON.stringify` has found no cycle. */
function isLossy(value: unknown): boolean {
  if (typeof value === 'object') return value !== null && losesData(value);
  return typeof value === 'number' && !Number.isFinite(value);
}

// Strings and numbers are checked without a call: most values are one of them.
function losesData(value: object): boolean {
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) {
      if (typeof item === 'string') continue;
      if (typeof item === 'number' ? !Number.isFinite(item) : isLeftOut(item) || isLossy(item)) return true;
    }
    return false;
  }
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype !== Object.prototype && prototype !== null && !PLAIN_PROTOTYPES.has(prototype)) {
    if (value instanceof Date) return false;
    if ('toJSON' in value || NOT_JSON.test(Object.prototype.toString.call(value))) return true;
    PLAIN_PROTOTYPES.add(prototype);
  }
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    if (typeof item === 'string') continue;
    if (typeof item === 'number') {
      if (!Number.isFinite(item)) return true;
    } else if (typeof item === 'object') {
      if (item !== null && losesData(item)) return true;
    } else if (typeof item === 'function' && key === 'toJSON') return true;
  }
  return false;
}

function misfitError(payload: unknown, what: string, type?: string): TypeError | undefined {
  const misfit = findMisfit(payload, '', []);
  if (!misfit) return undefined;
  const name = type === undefined ? what : `${what} "${type}"`;
  const where = misfit.path === '' ? '' : ` at ${misfit.path}`;
  return new TypeError(
    `Expected ${name} to be JSON, got ${misfit.what}${where}: send plain objects, arrays, text, finite numbers, booleans or null.`,
  );
}

/** Walks as `JSON.stringify` does; builds the path only on its way back from a misfit. */
function findMisfit(value: unknown, key: string, ancestors: unknown[]): Misfit | undefined {
  if (typeof value !== 'object' && typeof value !== 'bigint') return scalarMisfit(value);
  if (value === null) return undefined;
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return findMisfit(toJSON.call(value, key), key, ancestors);
  if (typeof value === 'bigint') return { what: 'a BigInt', path: '' };
  if (ancestors.includes(value)) return { what: 'a cycle', path: '' };
  const isList = Array.isArray(value);
  const kind = isList ? undefined : NOT_JSON.exec(Object.prototype.toString.call(value))?.[1];
  if (kind !== undefined) return { what: /^[AE]/.test(kind) ? `an ${kind}` : `a ${kind}`, path: '' };
  ancestors.push(value);
  for (const name of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[name];
    if (!isList && isLeftOut(item)) continue;
    const misfit = findMisfit(item, name, ancestors);
    if (misfit) return { what: misfit.what, path: joined(isList ? `[${name}]` : name, misfit.path) };
  }
  ancestors.pop();
  return undefined;
}

function scalarMisfit(value: unknown): Misfit | undefined {
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : { what: String(value), path: '' };
  if (value === undefined) return { what: 'undefined', path: '' };
  return isLeftOut(value) ? { what: `a ${typeof value}`, path: '' } : undefined;
}

function isLeftOut(value: unknown): boolean {
  return value === undefined || typeof value === 'function' || typeof value === 'symbol';
}

function joined(segment: string, rest: string): string {
  return rest === '' || rest.startsWith('[') ? segment + rest : `${segment}.${rest}`;
}
