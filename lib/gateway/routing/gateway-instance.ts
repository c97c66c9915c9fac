import { ContextIdFactory, type ContextId, type ModuleRef } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/internal';
import type { Connection } from '../../connections/connection.js';
import type { Callback, Enhancers } from '../../messages/enhancers.js';
import type { HandlerSource } from '../../messages/message-dispatcher.js';
import { MessageHandler } from '../../messages/message-handler.js';

/** The dependency-injection scope of each connection: one per connection, whose `REQUEST` is the connection. */
export class ConnectionScopes {
  readonly #contexts = new WeakMap<Connection, ContextId>();

  constructor(private readonly moduleRef: ModuleRef) {}

  of(connection: Connection): ContextId {
    const known = this.#contexts.get(connection);
    if (known !== undefined) return known;
    const contextId = ContextIdFactory.create();
    this.moduleRef.registerRequestByContextId(connection, contextId);
    this.#contexts.set(connection, contextId);
    return contextId;
  }

  /** Makes the next resolution begin anew: Nest keeps what has failed in a scope. */
  renew(connection: Connection): void {
    this.#contexts.delete(connection);
  }

  resolve(metatype: InstanceWrapper['token'], contextId: ContextId): Promise<object> {
    return this.moduleRef.resolve(metatype as never, contextId, { strict: false });
  }
}

/** A request-scoped gateway's instance for one connection, and the scope its enhancers are resolved in as well. */
interface ScopedInstance {
  readonly instance: object;
  readonly contextId: ContextId;
}

/** A gateway class as Nest holds it: one instance, or one per connection when it is request-scoped. */
export class GatewayInstance {
  readonly #isStatic: boolean;
  readonly #scoped = new WeakMap<Connection, Promise<ScopedInstance>>();

  constructor(
    private readonly wrapper: InstanceWrapper<object>,
    private readonly moduleKey: string,
    private readonly scopes: ConnectionScopes,
    private readonly enhancers: Enhancers,
  ) {
    this.#isStatic = wrapper.isDependencyTreeStatic();
  }

  get name(): string {
    return this.wrapper.name;
  }

  get prototype(): Record<string, unknown> {
    return (this.wrapper.metatype as { prototype: Record<string, unknown> }).prototype;
  }

  hasHook(name: 'handleConnection' | 'handleRefresh' | 'handleDisconnect'): boolean {
    return typeof this.prototype[name] === 'function' || name in this.wrapper.instance;
  }

  of(connection: Connection): object | Promise<object> {
    if (this.#isStatic) return this.wrapper.instance;
    return this.#scopedFor(connection).then(({ instance }) => instance);
  }

  /** Makes the handlers of one method. */
  handlers(methodName: string): HandlerSource {
    if (this.#isStatic) {
      const handler = this.#handlerOn(this.wrapper.instance, methodName);
      return { handlerFor: () => handler };
    }
    const handlers = new WeakMap<ScopedInstance, MessageHandler>();
    return {
      handlerFor: async (connection) => {
        const scoped = await this.#scopedFor(connection);
        const known = handlers.get(scoped);
        if (known !== undefined) return known;
        const handler = this.#handlerOn(scoped.instance, methodName, scoped.contextId);
        handlers.set(scoped, handler);
        return handler;
      },
    };
  }

  #scopedFor(connection: Connection): Promise<ScopedInstance> {
    const known = this.#scoped.get(connection);
    if (known !== undefined) return known;
    const contextId = this.scopes.of(connection);
    const scoped = this.scopes.resolve(this.wrapper.token, contextId).then(
      (instance) => ({ instance, contextId }),
      (error: unknown) => {
        this.#scoped.delete(connection);
        this.scopes.renew(connection);
        throw error;
      },
    );
    this.#scoped.set(connection, scoped);
    return scoped;
  }

  #handlerOn(instance: object, methodName: string, contextId?: ContextId): MessageHandler {
    const callback = (instance as Record<string, Callback>)[methodName] as Callback;
    // Transient enhancers exist once for each gateway that has them, under its id.
    const inquirerId = this.wrapper.id;
    const host = { instance, callback, methodName, moduleKey: this.moduleKey, contextId, inquirerId };
    return new MessageHandler(host, this.enhancers);
  }
}
