import type { CanActivate, NestInterceptor } from '@nestjs/common';
import { selectExceptionFilterMetadata, type ExceptionFilterMetadata } from '@nestjs/common/internal';
import { ExecutionContextHost, InterceptorsConsumer } from '@nestjs/core/internal';
import { isObservable, lastValueFrom, type Observable } from 'rxjs';
import type { Connection } from '../connections/connection.js';
import { ErrorCode } from '../protocol/error-codes.js';
import type { Enhancers, HandlerHost } from './enhancers.js';
import { InterceptedReply } from './intercepted-reply.js';
import { MessageGuard } from './message.guard.js';
import { Parameters } from './parameters.js';
import { RealtimeException } from './realtime.exception.js';

/** `[connection, payload, type]`, as every guard, pipe, interceptor and filter of Nest sees a message. */
export type MessageArgs = [connection: Connection, payload: unknown, type: string];

export type OnStopError = (args: MessageArgs, error: unknown) => void;

// A guard's Observable that completes without a value does not allow the message.
const NOT_ALLOWED = { defaultValue: false };

const interceptorsConsumer = new InterceptorsConsumer();

/** A gateway's method with everything bound to it: guards, then interceptors, then pipes, then the method. */
export class MessageHandler {
  readonly #host: HandlerHost;
  readonly #guards: readonly CanActivate[];
  readonly #interceptors: NestInterceptor[];
  readonly #parameters: Parameters;
  readonly #filters: ExceptionFilterMetadata[];

  constructor(host: HandlerHost, enhancers: Enhancers) {
    this.#host = host;
    this.#guards = enhancers.guardsOf(host);
    this.#interceptors = enhancers.interceptorsOf(host);
    this.#parameters = new Parameters(host, enhancers);
    this.#filters = enhancers.filtersOf(host);
  }

  /**
   * The handler's result; a promise only when a guard, pipe, interceptor or the handler is asynchronous. `onStopError` gets
   * what a stream behind interceptors throws while it is stopped.
   */
  invoke(args: MessageArgs, onStopError: OnStopError): unknown {
    const passed = this.#pass(args);
    return passed === undefined
      ? this.#proceed(args, onStopError)
      : passed.then(() => this.#proceed(args, onStopError));
  }

  /**
   * Runs the bound exception filter: an error that it throws replaces the given one. Wrapped in an object, since an error
   * that has a `then` must not be awaited.
   */
  async filter(error: unknown, args: MessageArgs): Promise<{ readonly error: unknown }> {
    try {
      const filter = selectExceptionFilterMetadata(this.#filters, error);
      await filter?.func(error, this.#contextOf(args));
      return { error };
    } catch (thrown) {
      return { error: thrown };
    }
  }

  get hasFilters(): boolean {
    return this.#filters.length > 0;
  }

  /** Runs the guards in order; returns a promise only when one of them is asynchronous. */
  #pass(args: MessageArgs): Promise<void> | undefined {
    let context: ExecutionContextHost | undefined;
    for (let i = 0; i < this.#guards.length; i++) {
      const guard = this.#guards[i] as CanActivate;
      // The guard of every message needs no execution context.
      const result = MessageGuard.isPlain(guard)
        ? guard.admit(this.#host.callback, args)
        : guard.canActivate((context ??= this.#contextOf(args)));
      if (result === true) continue;
      return this.#passAsync(result, i, context ?? this.#contextOf(args));
    }
    return undefined;
  }

  #contextOf(args: MessageArgs): ExecutionContextHost {
    const { instance, callback } = this.#host;
    const context = new ExecutionContextHost(args, instance.constructor as never, callback);
    context.setType('ws');
    return context;
  }

  /** Continues after a guard that did not return `true` at once; only `true` lets the message through. */
  async #passAsync(pending: unknown, position: number, context: ExecutionContextHost): Promise<void> {
    let result = pending;
    for (let i = position; ;) {
      const settled: unknown = await result;
      const isAllowed = isObservable(settled) ? await lastValueFrom(settled, NOT_ALLOWED) : settled;
      if (isAllowed !== true) throw new RealtimeException(ErrorCode.FORBIDDEN);
      const guard = this.#guards[++i];
      if (guard === undefined) return;
      result = guard.canActivate(context);
    }
  }

  #proceed(args: MessageArgs, onStopError: OnStopError): unknown {
    return this.#interceptors.length === 0 ? this.#call(args) : this.#intercept(args, onStopError);
  }

  #call(args: MessageArgs): unknown {
    const { instance, callback } = this.#host;
    if (this.#parameters.isPlain) return callback.call(instance, args[1], args[0]);
    return this.#parameters.resolve(args).then((parameters) => callback.apply(instance, parameters));
  }

  async #intercept(args: MessageArgs, onStopError: OnStopError): Promise<unknown> {
    const reply = new InterceptedReply(args[0], (error) => onStopError(args, error));
    const { instance, callback } = this.#host;
    const next = async () => reply.observe(await this.#call(args));
    const outcome = await interceptorsConsumer.intercept(
      this.#interceptors,
      args,
      instance,
      callback,
      next,
      'ws',
    );
    return reply.settle(outcome as Observable<unknown>);
  }
}
