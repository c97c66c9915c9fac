import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { CUSTOM_ROUTE_ARGS_METADATA } from '@nestjs/common/internal';
import { ContextUtils, PipesConsumer } from '@nestjs/core/internal';
import { WsParamsFactory } from '@nestjs/websockets/factories/ws-params-factory.js';
import { PARAM_ARGS_METADATA } from '@nestjs/websockets/internal';
import type { Enhancers, HandlerHost } from './enhancers.js';

/** How one parameter of a handler is extracted, and its pipes. */
interface Parameter {
  readonly index: number;
  readonly extract: (args: unknown[]) => unknown;
  readonly metadata: Pick<ArgumentMetadata, 'type'> & {
    [K in 'metatype' | 'data' | 'schema']: ArgumentMetadata[K];
  };
  readonly pipes: PipeTransform[];
}

/** The metadata of Nest's parameter decorators. */
interface ParameterMetadata {
  readonly index: number;
  readonly data?: string;
  readonly pipes: unknown[];
  readonly schema?: ArgumentMetadata['schema'];
  readonly factory?: (...parameters: unknown[]) => void;
}

const contextUtils = new ContextUtils();
const paramsFactory = new WsParamsFactory();
const pipesConsumer = new PipesConsumer();

/** Creates a handler's parameters from `[connection, payload, type]`. */
export class Parameters {
  /** Whether the handler takes `(payload, connection)` without pipes. */
  readonly isPlain: boolean;
  readonly #parameters: readonly Parameter[];

  constructor(host: HandlerHost, enhancers: Enhancers) {
    const metadata: Record<string, ParameterMetadata> =
      contextUtils.reflectCallbackMetadata(host.instance, host.methodName, PARAM_ARGS_METADATA) ?? {};
    const types: ArgumentMetadata['metatype'][] =
      contextUtils.reflectCallbackParamtypes(host.instance, host.methodName) ?? [];
    const pipes = enhancers.pipesOf(host);
    this.#parameters = Object.entries(metadata).map(([key, parameter]) => ({
      index: parameter.index,
      extract: extractor(key, parameter, host),
      metadata: {
        type: parameterType(key) as ArgumentMetadata['type'],
        metatype: types[parameter.index],
        data: parameter.data,
        schema: parameter.schema,
      },
      pipes: [...pipes, ...enhancers.parameterPipesOf(parameter.pipes, host)],
    }));
    this.isPlain =
      Object.keys(metadata).every((key) => key === '3:0' || key === '0:1') &&
      this.#parameters.every(({ pipes: own, metadata: { data } }) => own.length === 0 && data === undefined);
  }

  async resolve(args: unknown[]): Promise<unknown[]> {
    const resolved: unknown[] = [];
    await Promise.all(
      this.#parameters.map(async ({ index, extract, metadata, pipes }) => {
        const value = extract(args);
        resolved[index] =
          pipes.length === 0
            ? await value
            : await pipesConsumer.apply(value, metadata as ArgumentMetadata, pipes);
      }),
    );
    return resolved;
  }
}

// Nest's pipes read a custom decorator's type as text and its own kinds as numbers.
function parameterType(key: string): string | number {
  const type = contextUtils.mapParamType(key);
  return key.includes(CUSTOM_ROUTE_ARGS_METADATA) ? type : Number(type);
}

function extractor(
  key: string,
  { data, factory }: ParameterMetadata,
  host: HandlerHost,
): Parameter['extract'] {
  if (!key.includes(CUSTOM_ROUTE_ARGS_METADATA)) {
    const type = Number(parameterType(key));
    return (args) => paramsFactory.exchangeKeyForValue(type, data, args);
  }
  const contextFactory = contextUtils.getContextFactory('ws', host.instance, host.callback);
  const custom: unknown = contextUtils.getCustomFactory(factory ?? (() => {}), data, contextFactory);
  return (args) => (custom as (...args: unknown[]) => unknown)(...args);
}
