type NotJson =
  | bigint
  | symbol
  | ((...parameters: never[]) => unknown)
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<WeakKey, unknown>
  | WeakSet<WeakKey>;

/** `T` where JSON can carry it, `never` where it cannot: a BigInt, a function, a `Map` or a `Set`. */
export type JsonCompatible<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends NotJson
    ? never
    : T extends { toJSON(): unknown }
      ? T
      : T extends object
        ? { readonly [K in keyof T]: JsonCompatible<T[K]> }
        : T;
