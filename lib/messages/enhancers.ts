import type { CanActivate, NestInterceptor, PipeTransform } from '@nestjs/common';
import { EXCEPTION_FILTERS_METADATA, type ExceptionFilterMetadata } from '@nestjs/common/internal';
import { ApplicationConfig, ModulesContainer, type ContextId, type NestContainer } from '@nestjs/core';
import {
  BaseExceptionFilterContext,
  GuardsContextCreator,
  InterceptorsContextCreator,
  PipesContextCreator,
  STATIC_CONTEXT,
} from '@nestjs/core/internal';

export type Callback = (...parameters: unknown[]) => unknown;

/** A gateway's method, and where Nest binds and resolves its enhancers. */
export interface HandlerHost {
  readonly instance: object;
  readonly callback: Callback;
  readonly methodName: string;
  readonly moduleKey: string;
  readonly contextId?: ContextId | undefined;
  readonly inquirerId?: string | undefined;
}

/** Finds the guards, pipes, interceptors and filters bound to a handler: globally, on its class, on the method. */
export class Enhancers {
  readonly #guards: GuardsContextCreator;
  readonly #pipes: PipesContextCreator;
  readonly #interceptors: InterceptorsContextCreator;
  readonly #filters: FiltersContextCreator;

  constructor(modules: ModulesContainer, config: ApplicationConfig) {
    // Nest's creators use nothing of their container but its modules.
    const container = { getModules: () => modules } as unknown as NestContainer;
    this.#guards = new GuardsContextCreator(container, config);
    this.#pipes = new PipesContextCreator(container, config);
    this.#interceptors = new InterceptorsContextCreator(container, config);
    this.#filters = new FiltersContextCreator(container, config);
  }

  guardsOf({ instance, callback, moduleKey, contextId, inquirerId }: HandlerHost): CanActivate[] {
    return this.#guards.create(instance, callback, moduleKey, contextId, inquirerId);
  }

  pipesOf({ instance, callback, moduleKey, contextId, inquirerId }: HandlerHost): PipeTransform[] {
    return this.#pipes.create(instance, callback, moduleKey, contextId, inquirerId);
  }

  /** Pipes given to a parameter decorator. */
  parameterPipesOf(pipes: unknown[], { moduleKey, contextId, inquirerId }: HandlerHost): PipeTransform[] {
    this.#pipes.setModuleContext(moduleKey);
    return this.#pipes.createConcreteContext(pipes, contextId, inquirerId);
  }

  interceptorsOf({ instance, callback, moduleKey, contextId, inquirerId }: HandlerHost): NestInterceptor[] {
    return this.#interceptors.create(instance, callback, moduleKey, contextId, inquirerId);
  }

  /** Innermost first, in the order in which they are tried. */
  filtersOf(host: HandlerHost): ExceptionFilterMetadata[] {
    return this.#filters.filtersOf(host).reverse();
  }
}

/** Adds the global filters, which Nest applies to controllers but not to gateways. */
class FiltersContextCreator extends BaseExceptionFilterContext {
  constructor(
    container: NestContainer,
    private readonly config: ApplicationConfig,
  ) {
    super(container);
  }

  filtersOf({
    instance,
    callback,
    moduleKey,
    contextId,
    inquirerId,
  }: HandlerHost): ExceptionFilterMetadata[] {
    this.moduleContext = moduleKey;
    return this.createContext(instance, callback, EXCEPTION_FILTERS_METADATA, contextId, inquirerId);
  }

  override getGlobalMetadata(contextId: ContextId = STATIC_CONTEXT, inquirerId?: string): never {
    const filters: unknown[] = this.config.getGlobalFilters();
    if (contextId === STATIC_CONTEXT && inquirerId === undefined) return filters as never;
    const scoped = this.config
      .getGlobalRequestFilters()
      .map(
        (wrapper) =>
          wrapper.getInstanceByContextId(this.getContextId(contextId, wrapper), inquirerId)?.instance,
      )
      .filter((filter) => filter !== undefined);
    return [...filters, ...scoped] as never;
  }
}
