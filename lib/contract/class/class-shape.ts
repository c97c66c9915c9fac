import { plainToInstance } from 'class-transformer';
import { assertNoArrayLike } from './built-in-types.js';
import type { Class } from './built-in-types.js';
import { assertDepth, copyUntyped } from './plain-input.js';
import { PropertyAccess } from './property-access.js';
import { isReadable, keyRules, transformedProperties } from './transformer-metadata.js';
import type { KeyRules } from './transformer-metadata.js';
import { PropertyTransformer } from './property-transformer.js';
import { UnreadableInput } from './unreadable-input.js';

const shapes = new WeakMap<Class, ClassShape>();

/** Creates instances of one class from plain objects, with the result of `plainToInstance`. */
export class ClassShape {
  private readonly target: Class;
  private readonly transformers = new Map<string, PropertyTransformer>();
  private readonly access: PropertyAccess;
  private readonly keyRules: KeyRules | undefined;
  /** True if a `@Transform` or `@Type` function gets the input, which it may keep or change. */
  private readonly exposesInput: boolean;

  private constructor(target: Class) {
    this.target = target;
    this.access = new PropertyAccess(target);
    this.keyRules = keyRules(target);
    const readNested = (type: Class, input: object, depth: number) =>
      ClassShape.of(type).instantiate(input, depth);
    for (const [name, property] of transformedProperties(target)) {
      this.transformers.set(name, new PropertyTransformer(name, property, readNested));
    }
    this.exposesInput = [...this.transformers.values()].some((transformer) => transformer.exposesInput);
  }

  static of(target: Class): ClassShape {
    let shape = shapes.get(target);
    if (!shape) shapes.set(target, (shape = new ClassShape(target)));
    return shape;
  }

  /** Reads own keys only. With `only`, it skips properties that the caller strips anyway. */
  instantiate(input: object, depth: number, only?: ReadonlyMap<string, unknown>): object {
    assertDepth(depth);
    if (!isReadable) return delegate(this.target, input, depth);
    const instance = new this.target() as Record<string, unknown>;
    const source = (this.exposesInput ? copyUntyped(input, depth) : input) as Record<string, unknown>;
    let name = '';
    try {
      for (const key of this.keyRules === undefined ? Object.keys(source) : keysOf(source, this.keyRules)) {
        name = this.keyRules?.propertyNames.get(key) ?? key;
        if (name === '__proto__' || key === '__proto__') continue;
        if (this.access.isInherited(name)) {
          if (!this.access.isWritable(name, instance)) continue;
        } else if ((only && !only.has(name)) || typeof instance[name] === 'function') continue;
        const value = Object.hasOwn(source, key) ? source[key] : undefined;
        const transformer = this.transformers.get(name);
        instance[name] = transformer
          ? transformer.read(value, instance, source, depth + 1)
          : copyUntyped(value, depth + 1);
      }
    } catch (error) {
      throw UnreadableInput.at(name, error);
    }
    return instance;
  }
}

function keysOf(source: object, { readsInputKeys, exposed, excluded }: KeyRules): Set<string> {
  const keys = readsInputKeys ? Object.keys(source).concat(exposed) : exposed;
  return new Set(keys.filter((key) => !excluded.has(key)));
}

// On a copy, since class-transformer deletes discriminators from its input.
function delegate(target: Class, input: object, depth: number): object {
  const copy = copyUntyped(input, depth) as object;
  try {
    assertNoArrayLike(copy);
    return plainToInstance(target, copy);
  } catch (error) {
    throw UnreadableInput.at('', error);
  }
}
