import { ContextIdFactory, type ContextId, type ModuleRef } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/internal';
import type { Connection } from '../connections/connection.js';
import type { Callback, Enhancers } from '../messages/enhancers.js';
import type { HandlerSource } from '../messages/message-dispatcher.js';
import { MessageHandler } from '../messages/message-handler.js';

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

  resolve(metatype: InstanceWrapper['token'], connection: Connection): Promise<object> {
    return this.moduleRef.resolve(metatype as never, this.of(connection), { strict: false });
  }
}

/** A gateway class as Nest holds it: one instance, or one per connection when it is request-scoped. */
export class GatewayInstance {
  readonly #isStatic: boolean;

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
    return this.#isStatic ? this.wrapper.instance : this.scopes.resolve(this.wrapper.token, connection);
  }

  /** Makes the handlers of one method. */
  handlers(methodName: string): HandlerSource {
    if (this.#isStatic) {
      const handler = this.#handlerOn(this.wrapper.instance, methodName);
      return { handlerFor: () => handler };
    }
    const handlers = new WeakMap<Connection, Promise<MessageHandler>>();
    return {
      handlerFor: (connection) => {
        const known = handlers.get(connection);
        if (known !== undefined) return known;
        const handler = this.scopes
          .resolve(this.wrapper.token, connection)
          .then((instance) => this.#handlerOn(instance, methodName, this.scopes.of(connection)));
        handlers.set(connection, handler);
        return handler;
      },
    };
  }

  #handlerOn(instance: object, methodName: string, contextId?: ContextId): MessageHandler {
    const callback = (instance as Record<string, Callback>)[methodName] as Callback;
    const inquirerId = contextId === undefined ? undefined : this.wrapper.id;
    const host = { instance, callback, methodName, moduleKey: this.moduleKey, contextId, inquirerId };
    return new MessageHandler(host, this.enhancers);
  }
}
