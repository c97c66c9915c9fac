import { UnreadableInput } from './unreadable-input.js';

/** A class that is constructed without arguments. */
export type Class = new () => object;

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

/** The value converted to a built-in type that JSON can represent; `undefined` for every other type. */
export function convertScalar(value: unknown, type: unknown): { readonly value: unknown } | undefined {
  const convert = scalars.get(type);
  return convert && { value: convert(value) };
}

/**
 * True for classes of the application. A class that extends a built-in cannot be filled property by property: an
 * `Array` would take the `length` that a client sends, a `Map` would stay empty.
 */
export function isConstructable(type: unknown): type is Class {
  if (typeof type !== 'function') return false;
  let known = constructable.get(type);
  if (known === undefined) constructable.set(type, (known = hasOnlyOwnCode(type)));
  return known;
}

function hasOnlyOwnCode(type: unknown): boolean {
  if (typeof (type as { prototype?: unknown }).prototype !== 'object') return false;
  for (let level: unknown = type; typeof level === 'function'; level = Object.getPrototypeOf(level)) {
    if (level === Function.prototype) return true;
    // Some globals of Node, such as `URL`, are written in JavaScript.
    if ((globalThis as Record<string, unknown>)[level.name] === level) return false;
    if (/\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(level))) return false;
  }
  return true;
}

/** Only known forms, since `Buffer.from({ length: 4e9 })` would allocate that many bytes. */
function toBuffer(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.from(value);
  const { type, data } = Object(value) as { type?: unknown; data?: unknown };
  if (type === 'Buffer' && Array.isArray(data)) return Buffer.from(data);
  throw new UnreadableInput('is not the JSON of a Buffer');
}

/** A greater `length` in an object is an attack. */
const MAX_CLAIMED_LENGTH = 100_000;

/** Refuses objects that `Buffer.from` would treat as a long array, if class-transformer itself reads the input. */
export function assertNoArrayLike(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value) && Number((value as { length?: unknown }).length) > MAX_CLAIMED_LENGTH) {
    throw new UnreadableInput('has a length that is too large');
  }
  for (const item of Object.values(value)) assertNoArrayLike(item);
}
