import { TransformationType } from 'class-transformer';
import type { TypeHelpOptions } from 'class-transformer';
import { convertScalar, isConstructable } from './built-in-types.js';
import type { Class } from './built-in-types.js';
import { assertDepth, copyUntyped, isPlainObject } from './plain-input.js';
import type { TransformedProperty } from './transformer-metadata.js';
import { UnreadableInput } from './unreadable-input.js';

type ReadNested = (type: Class, input: object, depth: number) => object;

/** Converts the plain value of one property with a `@Type` or `@Transform`. */
export class PropertyTransformer {
  /** True if functions of the application get the object that contains the value. */
  readonly exposesInput: boolean;

  constructor(
    private readonly name: string,
    private readonly property: TransformedProperty,
    private readonly readNested: ReadNested,
  ) {
    this.exposesInput = property.transforms.length > 0 || (property.type?.typeFunction?.length ?? 0) > 0;
  }

  read(value: unknown, owner: object, source: object, depth: number): unknown {
    const { type, transforms } = this.property;
    let read = type
      ? this.typed(value, this.typeFor({ newObject: owner, object: source, property: this.name }), depth)
      : copyUntyped(value, depth);
    for (const transform of transforms) {
      const params = { value: read, key: this.name, obj: source, type: TransformationType.PLAIN_TO_CLASS };
      read = transform({ ...params, options: {} });
    }
    return read;
  }

  private typed(value: unknown, type: unknown, depth: number): unknown {
    if (Array.isArray(value)) return this.list(value, type, depth);
    const isMap = this.property.type?.reflectedType === (Map as unknown);
    return isMap ? this.map(value, type, depth) : this.one(value, type, depth);
  }

  private list(values: readonly unknown[], type: unknown, depth: number): unknown {
    const list = newList(this.property.type?.reflectedType, type);
    const { discriminator } = this.property.type?.options ?? {};
    let index = 0;
    try {
      for (const item of values) {
        const read = discriminator ? this.listed(item, list, depth + 1) : this.convert(item, type, depth + 1);
        if (list instanceof Set) list.add(read);
        else list.push(read);
        index += 1;
      }
    } catch (error) {
      throw UnreadableInput.at(String(index), error);
    }
    return list;
  }

  private listed(item: unknown, newObject: object, depth: number): unknown {
    if (item === null || item === undefined) throw new UnreadableInput('is not an object');
    return this.one(item, this.typeFor({ newObject, object: item, property: undefined as never }), depth);
  }

  private map(value: unknown, type: unknown, depth: number): unknown {
    if (typeof value !== 'object' || value === null) return value;
    try {
      // `@Type(() => Map)` names the collection, not its items.
      const items = Object.entries(value).map(([key, item]): [string, unknown] => [
        key,
        type === Map ? copyUntyped(item, depth + 1) : this.one(item, type, depth + 1),
      ]);
      return new Map(items);
    } catch (error) {
      throw UnreadableInput.at('*', error);
    }
  }

  /** Selects the discriminator's sub-type if the value names one, otherwise the declared type. */
  private one(value: unknown, type: unknown, depth: number): unknown {
    const { discriminator, keepDiscriminatorProperty } = this.property.type?.options ?? {};
    if (!discriminator || !isPlainObject(value) || !Object.hasOwn(value, discriminator.property)) {
      return this.convert(value, type, depth);
    }
    const { [discriminator.property]: name, ...rest } = value;
    const subType = discriminator.subTypes.find((candidate) => candidate.name === name);
    return this.convert(keepDiscriminatorProperty ? value : rest, subType?.value ?? type, depth);
  }

  private convert(value: unknown, type: unknown, depth: number): unknown {
    if (value === null || value === undefined) return value;
    assertDepth(depth);
    if (Array.isArray(value)) return value.map((item) => this.convert(item, type, depth + 1));
    const scalar = convertScalar(value, type);
    if (scalar) return scalar.value;
    if (typeof value === 'object' && isConstructable(type)) return this.readNested(type, value, depth);
    const copy = copyUntyped(value, depth);
    return type === Map && isPlainObject(copy) ? new Map(Object.entries(copy)) : copy;
  }

  // Called for each value: the function may depend on it, and classes may reference each other.
  private typeFor(options: TypeHelpOptions): unknown {
    const { typeFunction, reflectedType } = this.property.type as {
      typeFunction?: (options: TypeHelpOptions) => unknown;
      reflectedType: unknown;
    };
    return typeFunction ? typeFunction(options) : reflectedType;
  }
}

function newList(reflectedType: unknown, type: unknown): Set<unknown> | unknown[] {
  if (reflectedType === Set || type === Set) return new Set();
  const isList = typeof reflectedType === 'function' && 'push' in ((reflectedType.prototype ?? {}) as object);
  return isList ? new (reflectedType as new () => unknown[])() : [];
}
