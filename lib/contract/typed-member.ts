import type { TypeMetadata } from 'class-transformer';
import { assertDepth, copyUntyped, isPlainObject, isReservedKey } from './plain-input.js';

type Class = new () => object;
type ReadNested = (type: Class, input: object, depth: number) => object;

/** One property with a `@Type`: turns its plain value into what the decorator promises. */
export class TypedMember {
  private readonly metadata: TypeMetadata;
  private readonly readNested: ReadNested;
  private resolved: { readonly type: unknown } | undefined;

  constructor(metadata: TypeMetadata, readNested: ReadNested) {
    this.metadata = metadata;
    this.readNested = readNested;
  }

  read(value: unknown, depth: number): unknown {
    const collection: unknown = this.metadata.reflectedType;
    if (Array.isArray(value)) {
      const items = value.map((item: unknown) => this.readItem(item, depth + 1));
      return collection === Set ? new Set(items) : items;
    }
    return collection === Map ? this.readMap(value, depth) : this.readItem(value, depth);
  }

  private readMap(value: unknown, depth: number): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const map = new Map<string, unknown>();
    for (const [key, item] of Object.entries(value)) {
      // class-transformer leaves out keys that name a member of Map; so does this.
      if (isReservedKey(key) || key in Map.prototype) continue;
      map.set(key, this.convert(item, this.type(), depth + 1));
    }
    return map;
  }

  /** Picks the discriminator's sub-type if the value names one, the declared type otherwise. */
  private readItem(value: unknown, depth: number): unknown {
    const { discriminator, keepDiscriminatorProperty } = this.metadata.options;
    if (!discriminator || !isPlainObject(value) || !Object.hasOwn(value, discriminator.property)) {
      return this.convert(value, this.type(), depth);
    }
    const { [discriminator.property]: name, ...rest } = value;
    const subType = discriminator.subTypes.find((candidate) => candidate.name === name);
    return this.convert(keepDiscriminatorProperty ? value : rest, subType?.value ?? this.type(), depth);
  }

  private convert(value: unknown, type: unknown, depth: number): unknown {
    if (value === null || value === undefined) return value;
    assertDepth(depth);
    if (Array.isArray(value)) return value.map((item) => this.convert(item, type, depth + 1));
    const scalar = scalars.get(type);
    // A copy has no `toString` or `valueOf` of the client's that could make the conversion throw.
    if (scalar) return scalar(copyUntyped(value, depth));
    if (typeof value !== 'object' || value instanceof Date || typeof type !== 'function') {
      return copyUntyped(value, depth);
    }
    return unconstructable.has(type)
      ? copyUntyped(value, depth)
      : this.readNested(type as Class, value, depth);
  }

  // Asked for at the first value, not at definition: classes may name each other in a circle.
  private type(): unknown {
    const { reflectedType, typeFunction } = this.metadata as {
      reflectedType: unknown;
      typeFunction?: () => unknown;
    };
    this.resolved ??= { type: typeFunction ? typeFunction() : reflectedType };
    return this.resolved.type;
  }
}

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

const unconstructable: ReadonlySet<unknown> = new Set([Object, BigInt, Symbol, Promise]);

/** What a Buffer cannot be made of stays as it is: `Buffer.from({ length: 4e9 })` would allocate what a client asks. */
function toBuffer(value: unknown): unknown {
  if (typeof value === 'string') return Buffer.from(value);
  const serialized = isPlainObject(value) && value['type'] === 'Buffer' ? value['data'] : undefined;
  return Array.isArray(serialized) ? Buffer.from(serialized) : value;
}
