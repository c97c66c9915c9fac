import { UnreadableInput } from './unreadable-input.js';

type Class = new () => object;

const scalars: ReadonlyMap<unknown, (value: unknown) => unknown> = new Map<
  unknown,
  (value: unknown) => unknown
>([
  [String, String],
  [Number, Number],
  [Boolean, Boolean],
  [Date, (value) => new Date(value as string)],
  [Buffer, toBuffer],
]);

const constructable = new WeakMap<object, boolean>();

/** The value as one of the built-in types that JSON can be turned into; `undefined` for every other type. */
export function convertScalar(value: unknown, type: unknown): { readonly value: unknown } | undefined {
  const convert = scalars.get(type);
  return convert && { value: convert(value) };
}

/**
 * True for classes that an application wrote. What extends a built-in cannot be filled property by property: an
 * `Array` would take the length that a client asks for, a `Map` would stay empty.
 */
export function isConstructable(type: unknown): type is Class {
  if (typeof type !== 'function') return false;
  let verdict = constructable.get(type);
  if (verdict === undefined) constructable.set(type, (verdict = hasOnlyOwnCode(type)));
  return verdict;
}

function hasOnlyOwnCode(type: unknown): boolean {
  if (typeof (type as { prototype?: unknown }).prototype !== 'object') return false;
  for (let level: unknown = type; typeof level === 'function'; level = Object.getPrototypeOf(level)) {
    if (level === Function.prototype) return true;
    // Node writes some of its globals, `URL` for one, in JavaScript.
    if ((globalThis as Record<string, unknown>)[level.name] === level) return false;
    if (/\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(level))) return false;
  }
  return true;
}

/** `Buffer.from({ length: 4e9 })` would allocate what a client asks for. */
function toBuffer(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.from(value);
  const { type, data } = Object(value) as { type?: unknown; data?: unknown };
  if (type === 'Buffer' && Array.isArray(data)) return Buffer.from(data);
  throw new UnreadableInput('is not the JSON of a Buffer');
}

/** More elements than this are not claimed by an honest `length`. */
const MAX_CLAIMED_LENGTH = 100_000;

/** Refuses what `Buffer.from` would take for a long array, where class-transformer itself has to read the input. */
export function assertNoArrayLike(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value) && Number((value as { length?: unknown }).length) > MAX_CLAIMED_LENGTH) {
    throw new UnreadableInput('holds a length that is too large');
  }
  for (const item of Object.values(value)) assertNoArrayLike(item);
}
