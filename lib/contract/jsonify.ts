type Callable = ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown);
/** What `JSON.stringify` omits from an object. */
type Omitted = undefined | symbol | Callable;
type Scalar = string | number | boolean | null;
/** `JSON.stringify` turns these into `{}` or into an object of indices, so sending them throws. */
type NotJson =
  | bigint
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<WeakKey, unknown>
  | WeakSet<WeakKey>
  | RegExp
  | ArrayBuffer
  | ArrayBufferView
  | PromiseLike<unknown>;
interface WithToJson {
  toJSON(key?: never): unknown;
}

/** The type of `JSON.parse(JSON.stringify(value))`: dates become strings, methods and `undefined` are omitted. */
export type Jsonify<T> = unknown extends T
  ? T
  : T extends Scalar
    ? T
    : T extends undefined
      ? null
      : T extends WithToJson
        ? Jsonify<ReturnType<T['toJSON']>>
        : T extends NotJson | Omitted
          ? never
          : T extends readonly unknown[]
            ? { [K in keyof T]: Jsonify<Exclude<T[K], undefined>> }
            : JsonObject<T>;

type JsonObject<T> = {
  [K in keyof T as IsKept<K, T[K], 'required'>]: Jsonify<T[K]>;
} & {
  [K in keyof T as IsKept<K, T[K], 'optional'>]?: Jsonify<Exclude<T[K], Omitted>>;
} extends infer Joined
  ? { [K in keyof Joined]: Joined[K] }
  : never;

/** What a client may send for a class payload: for example an ISO string for a `Date`, an array for a `Set`. */
export type JsonInput<T> = unknown extends T
  ? T
  : T extends Scalar | undefined
    ? T
    : T extends bigint
      ? string | number
      : T extends WithToJson
        ? T | Jsonify<T>
        : T extends ReadonlyMap<unknown, infer V>
          ? Readonly<Record<string, JsonInput<V>>>
          : T extends ReadonlySet<infer V>
            ? readonly JsonInput<V>[]
            : T extends NotJson | Omitted
              ? never
              : T extends readonly unknown[]
                ? { [K in keyof T]: JsonInput<T[K]> }
                : JsonInputObject<T>;

type JsonInputObject<T> = {
  [K in keyof T as IsKept<K, T[K], 'required'>]: JsonInput<T[K]>;
} & {
  [K in keyof T as IsKept<K, T[K], 'optional'>]?: JsonInput<Exclude<T[K], Omitted>> | undefined;
} extends infer Joined
  ? { [K in keyof Joined]: Joined[K] }
  : never;

/** The key, if the property belongs to that half of the object; properties that are always omitted belong to neither. */
type IsKept<K, V, Half extends 'required' | 'optional'> = K extends symbol
  ? never
  : unknown extends V
    ? Half extends 'required'
      ? K
      : never
    : [V] extends [Omitted]
      ? never
      : [Extract<V, Omitted>] extends [never]
        ? Half extends 'required'
          ? K
          : never
        : Half extends 'optional'
          ? K
          : never;
