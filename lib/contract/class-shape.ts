import { plainToInstance } from 'class-transformer';
import { assertDepth, copyUntyped, isReservedKey } from './plain-input.js';
import { needsClassTransformer, typedProperties } from './transformer-metadata.js';
import { TypedMember } from './typed-member.js';

export type Class = new () => object;

const shapes = new WeakMap<Class, ClassShape>();

/** Makes instances of one class out of plain objects, with the outcome `plainToInstance` would have. */
export class ClassShape {
  private readonly target: Class;
  private readonly members = new Map<string, TypedMember>();
  private readonly delegates: boolean;

  private constructor(target: Class) {
    this.target = target;
    this.delegates = needsClassTransformer(target);
    const readNested = (type: Class, input: object, depth: number) =>
      ClassShape.of(type).instantiate(input, depth);
    for (const [name, metadata] of typedProperties(target)) {
      this.members.set(name, new TypedMember(metadata, readNested));
    }
  }

  static of(target: Class): ClassShape {
    let shape = shapes.get(target);
    if (!shape) shapes.set(target, (shape = new ClassShape(target)));
    return shape;
  }

  /** Reads own keys only. `only` names the keys worth reading when the caller strips the others anyway. */
  instantiate(input: object, depth: number, only?: ReadonlyMap<string, unknown>): object {
    assertDepth(depth);
    // class-transformer deletes discriminators from what it is given and trips over reserved keys.
    if (this.delegates) return plainToInstance(this.target, copyUntyped(input, depth) as object);
    const instance = new this.target() as Record<string, unknown>;
    const source = input as Record<string, unknown>;
    for (const key of Object.keys(source)) {
      if (only && !only.has(key)) continue;
      if (isReservedKey(key) || key in this.target.prototype || typeof instance[key] === 'function') continue;
      const member = this.members.get(key);
      const value = source[key];
      instance[key] = member ? member.read(value, depth + 1) : copyUntyped(value, depth + 1);
    }
    return instance;
  }
}
