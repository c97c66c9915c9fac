import { plainToInstance } from 'class-transformer';
import { assertNoArrayLike } from './built-in-types.js';
import { assertDepth, copyUntyped } from './plain-input.js';
import { PropertyAccess } from './property-access.js';
import { isReadable, keyRules, transformedProperties } from './transformer-metadata.js';
import type { KeyRules } from './transformer-metadata.js';
import { PropertyTransformer } from './property-transformer.js';
import { UnreadableInput } from './unreadable-input.js';

export type Class = new () => object;

const shapes = new WeakMap<Class, ClassShape>();

/** Makes instances of one class out of plain objects, with the outcome `plainToInstance` would have. */
export class ClassShape {
  private readonly target: Class;
  private readonly members = new Map<string, PropertyTransformer>();
  private readonly access: PropertyAccess;
  private readonly keyRules: KeyRules | undefined;
  /** A `@Transform` or `@Type` function may keep or change the object it is given. */
  private readonly showsInput: boolean;

  private constructor(target: Class) {
    this.target = target;
    this.access = new PropertyAccess(target);
    this.keyRules = keyRules(target);
    const readNested = (type: Class, input: object, depth: number) =>
      ClassShape.of(type).instantiate(input, depth);
    for (const [name, property] of transformedProperties(target)) {
      this.members.set(name, new PropertyTransformer(name, property, readNested));
    }
    this.showsInput = [...this.members.values()].some((member) => member.showsInput);
  }

  static of(target: Class): ClassShape {
    let shape = shapes.get(target);
    if (!shape) shapes.set(target, (shape = new ClassShape(target)));
    return shape;
  }

  /** Reads own keys only. `only` names the properties worth reading when the caller strips the others anyway. */
  instantiate(input: object, depth: number, only?: ReadonlyMap<string, unknown>): object {
    assertDepth(depth);
    if (!isReadable) return delegate(this.target, input, depth);
    const instance = new this.target() as Record<string, unknown>;
    const source = (this.showsInput ? copyUntyped(input, depth) : input) as Record<string, unknown>;
    let name = '';
    try {
      for (const key of this.keyRules === undefined ? Object.keys(source) : keysOf(source, this.keyRules)) {
        name = this.keyRules?.propertyNames.get(key) ?? key;
        if (name === '__proto__' || key === '__proto__') continue;
        if (this.access.isInherited(name)) {
          if (!this.access.isWritable(name, instance)) continue;
        } else if ((only && !only.has(name)) || typeof instance[name] === 'function') continue;
        const value = Object.hasOwn(source, key) ? source[key] : undefined;
        const member = this.members.get(name);
        instance[name] = member
          ? member.read(value, instance, source, depth + 1)
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

// On a copy, as class-transformer deletes discriminators from what it is given.
function delegate(target: Class, input: object, depth: number): object {
  const copy = copyUntyped(input, depth) as object;
  try {
    assertNoArrayLike(copy);
    return plainToInstance(target, copy);
  } catch (error) {
    throw UnreadableInput.at('', error);
  }
}
