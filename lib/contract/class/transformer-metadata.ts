import { Expose, TransformationType } from 'class-transformer';
import type { ExposeMetadata, TransformMetadata, TypeMetadata } from 'class-transformer';
// @ts-expect-error The package ships this file without types.
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import type { Class } from './built-in-types.js';

/** The part of class-transformer's storage that is used here; the package does not export it. */
interface TransformerStorage {
  readonly _typeMetadatas: Map<unknown, Map<string, TypeMetadata>>;
  readonly _transformMetadatas: Map<unknown, Map<string, unknown[]>>;
  getExposedMetadatas(target: Class): ExposeMetadata[];
  getExposedProperties(target: Class, type: TransformationType): string[];
  getExcludedProperties(target: Class, type: TransformationType): string[];
  getStrategy(target: Class): 'excludeAll' | 'exposeAll' | 'none';
  findExposeMetadata(target: Class, property: string): ExposeMetadata | undefined;
  findTypeMetadata(target: Class, property: string): TypeMetadata | undefined;
  findTransformMetadatas(target: Class, property: string, type: TransformationType): TransformMetadata[];
}

/** The `@Type` and `@Transform` metadata of one property. */
export interface TransformedProperty {
  readonly type: TypeMetadata | undefined;
  readonly transforms: readonly TransformMetadata['transformFn'][];
}

/** Which keys of the input are read, and into which properties. */
export interface KeyRules {
  readonly readsInputKeys: boolean;
  /** Keys of exposed properties, which are set to `undefined` if the input lacks them. */
  readonly exposed: readonly string[];
  readonly excluded: ReadonlySet<string>;
  readonly propertyNames: ReadonlyMap<string, string>;
}

const storage = defaultMetadataStorage as TransformerStorage;
const PLAIN_TO_CLASS = TransformationType.PLAIN_TO_CLASS;

/** False if the decorators use another copy of the package, for example in a bundle. */
export const isReadable = (() => {
  class Probe {}
  Expose()(Probe.prototype, 'probe');
  return storage.getExposedMetadatas(Probe).length === 1 && storage._typeMetadatas instanceof Map;
})();

/** Every property of the class, or of its ancestors, with a `@Type` or a `@Transform`. */
export function transformedProperties(target: Class): ReadonlyMap<string, TransformedProperty> {
  const names = lineage(target).flatMap((level) => [
    ...(storage._typeMetadatas.get(level)?.keys() ?? []),
    ...(storage._transformMetadatas.get(level)?.keys() ?? []),
  ]);
  return new Map(names.map((name) => [name, transformedProperty(target, name)]));
}

function transformedProperty(target: Class, name: string): TransformedProperty {
  return {
    type: storage.findTypeMetadata(target, name),
    transforms: storage
      .findTransformMetadatas(target, name, PLAIN_TO_CLASS)
      .filter(({ options }) => !options?.groups?.length)
      .map(({ transformFn }) => transformFn),
  };
}

/** The rules of `@Expose` and `@Exclude`; `undefined` if the class has neither. */
export function keyRules(target: Class): KeyRules | undefined {
  const exposed = storage.getExposedMetadatas(target);
  const excluded = storage.getExcludedProperties(target, PLAIN_TO_CLASS);
  const readsInputKeys = storage.getStrategy(target) !== 'excludeAll';
  if (exposed.length === 0 && excluded.length === 0 && readsInputKeys) return undefined;
  const inGroups = exposed.filter(({ options }) => options?.groups?.length);
  // Of two properties with one name, the first is read.
  const renamed = exposed.flatMap(({ options, propertyName }): [string, string][] =>
    options?.name === undefined ? [] : [[options.name, propertyName as string]],
  );
  return {
    readsInputKeys,
    exposed: storage
      .getExposedProperties(target, PLAIN_TO_CLASS)
      .map((name) => storage.findExposeMetadata(target, name)?.options?.name || name),
    excluded: new Set([...excluded, ...inGroups.map(({ propertyName }) => propertyName as string)]),
    propertyNames: new Map(renamed.reverse()),
  };
}

/** The class and its ancestors, nearest first. */
export function lineage(target: Class): Class[] {
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
