import { Expose } from 'class-transformer';
import type { TypeMetadata } from 'class-transformer';
// @ts-expect-error The package ships this file without types.
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';

type Class = new () => object;

/** The part of class-transformer's storage that is read; its package exports no public door to it. */
interface TransformerStorage {
  readonly _typeMetadatas: Map<unknown, Map<string, TypeMetadata>>;
  readonly _transformMetadatas: Map<unknown, Map<string, unknown[]>>;
  getExposedMetadatas(target: Class): unknown[];
  getExcludedMetadatas(target: Class): unknown[];
  getStrategy(target: Class): 'excludeAll' | 'exposeAll' | 'none';
}

const storage = defaultMetadataStorage as TransformerStorage;

/** False where a bundler gave the decorators another copy of the package than the one read here. */
const readable = (() => {
  class Probe {}
  Expose()(Probe.prototype, 'probe');
  return storage.getExposedMetadatas(Probe).length === 1 && storage._typeMetadatas instanceof Map;
})();

/** Every property of the class with a `@Type`, its own before its ancestors'. */
export function typedProperties(target: Class): ReadonlyMap<string, TypeMetadata> {
  const found = new Map<string, TypeMetadata>();
  for (const level of lineage(target)) {
    for (const [name, metadata] of storage._typeMetadatas.get(level) ?? []) {
      if (!found.has(name)) found.set(name, metadata);
    }
  }
  return found;
}

/** True when only class-transformer itself can tell what an instance of the class would hold. */
export function needsClassTransformer(target: Class): boolean {
  return (
    !readable ||
    storage.getStrategy(target) !== 'none' ||
    storage.getExposedMetadatas(target).length > 0 ||
    storage.getExcludedMetadatas(target).length > 0 ||
    lineage(target).some((level) => storage._transformMetadatas.has(level) || hasSetter(level)) ||
    [...typedProperties(target).values()].some(dependsOnInput)
  );
}

/** `@Type` functions that look at the object, and collections class-transformer fills in its own way. */
function dependsOnInput({ typeFunction, reflectedType, options }: TypeMetadata): boolean {
  const collection: unknown = reflectedType;
  if ((typeFunction as (() => unknown) | undefined)?.length) return true;
  if (collection === Map) return options.discriminator !== undefined;
  return (
    typeof collection === 'function' &&
    collection !== Array &&
    'push' in ((collection.prototype ?? {}) as object)
  );
}

function hasSetter(level: Class): boolean {
  const members = Object.getOwnPropertyDescriptors(level.prototype as object);
  return Object.values(members).some((member) => member.set !== undefined);
}

function lineage(target: Class): Class[] {
  const levels: Class[] = [];
  for (
    let level: unknown = target;
    typeof level === 'function' && level.prototype;
    level = Object.getPrototypeOf(level)
  ) {
    levels.push(level as Class);
  }
  return levels;
}
