import type { ModulesContainer } from '@nestjs/core';

/** Provided by each module that creates a node; its value is how the app imported it. */
export const REALTIME_IMPORT = Symbol('nestjs-realtime:import');

/**
 * Throws when an app has two nodes: each would open its own connections to Redis, and which of their `Broadcaster`s is
 * injected would depend on the order of imports.
 */
export function requireOneImport(modules: ModulesContainer): void {
  const found = [...modules.values()].filter(({ providers }) => providers.has(REALTIME_IMPORT));
  if (found.length < 2) return;
  const classes = new Set<unknown>(found.map(({ metatype }) => metatype));
  const ways = new Set(found.map(({ providers }) => String(providers.get(REALTIME_IMPORT)?.instance)));
  const importers = [...modules.values()].flatMap(({ metatype }) => {
    const imports: unknown[] = (Reflect.getMetadata('imports', metatype) as unknown[] | undefined) ?? [];
    return imports.some((each) => classes.has(moduleOf(each))) ? [metatype.name] : [];
  });
  const where = importers.length === 0 ? '' : ` in ${importers.join(' and ')}`;
  const how = ways.size === 1 ? '' : `, as ${[...ways].join(' and ')}`;
  throw new Error(
    `RealtimeModule is imported ${found.length} times${where}${how}: keep one of them, in the root module. ` +
      'What it exports is injectable in every module.',
  );
}

function moduleOf(imported: unknown): unknown {
  return (imported as { module?: unknown } | null)?.module ?? imported;
}
