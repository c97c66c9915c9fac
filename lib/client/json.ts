/** Kinds that `JSON.stringify` silently turns into `{}` or an object of indexes. */
const UNSENDABLE = /(Map|Set|WeakRef|Promise|RegExp|Error|\wArray|Buffer|View|Blob|File|FormData)]$/;

/** Makes the text of a message; throws when JSON cannot carry its payload. */
export type Encode = (type: string, payload: unknown, rest?: object) => string;

/** The text of a message. Throws a `TypeError` that names the type when JSON cannot carry the payload. */
export function encode(type: string, payload: unknown, rest?: object): string {
  try {
    return JSON.stringify({ type, payload, ...rest }, refuse);
  } catch (error) {
    throw new TypeError(`"${type}" cannot be sent as JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** A property that is `undefined` is left out; in an array it would become `null`. */
function refuse(this: unknown, key: string, value: unknown): unknown {
  const kind = typeof value;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (
    /^(bigint|function|symbol)$/.test(kind) ||
    (kind === 'undefined' && Array.isArray(this)) ||
    (kind === 'number' && !Number.isFinite(value)) ||
    (kind === 'object' && UNSENDABLE.test(`${tag}]`))
  ) {
    throw new Error(`the payload holds ${kind === 'number' ? String(value) : tag} at "${key}"`);
  }
  return value;
}
