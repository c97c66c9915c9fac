import 'reflect-metadata';
import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { PARAM_ARGS_METADATA } from '@nestjs/websockets/internal';
import { Connection } from '../connections/connection.js';
import type { AnyContract, MessageEntry } from '../contract/contract.js';
import type { ClientType, HandlerPayload, HandlerResult } from '../contract/contract-types.js';

export interface OnMessageOptions {
  /** Whether this connection may send the message, checked before its payload; anything but `true` is `FORBIDDEN`. @default every connection may */
  readonly allow?: (connection: Connection) => boolean | Promise<boolean>;
  /** Refuses connections without a user with `UNAUTHENTICATED`; the handler may then take an `AuthenticatedConnection`. @default as the gateway */
  readonly authenticated?: boolean;
  /** Set when every parameter has a decorator; then none has to take the whole payload. @default false */
  readonly decorated?: boolean;
}

/** The metadata that `@OnMessage` sets on a handler. */
export interface MessageRoute {
  readonly contract: AnyContract;
  readonly type: string;
  readonly entry: MessageEntry;
  readonly allow: OnMessageOptions['allow'];
  readonly authenticated: boolean | undefined;
}

const MESSAGE_ROUTE = Symbol('nestjs-realtime:message-route');

type Parameter<H> = H extends (...parameters: infer P) => unknown
  ? { [I in keyof P]: [P[I]] }[number]
  : never;

/** What a compiler error shows for a handler that has no place for the payload. */
interface HandlerCannotTakePayload<Payload> {
  readonly 'write (payload, connection), or decorate all parameters and set { decorated: true }': Payload;
}

/** Whether a handler can be given the payload: first of `(payload, connection)`, or at a place that `@Payload()` marks. */
type Takes<H, Payload> = H extends (payload: Payload, connection: Connection<never, never, never>) => unknown
  ? unknown
  : true extends (
        Parameter<H> extends infer P
          ? P extends [infer Declared]
            ? [Payload] extends [Declared]
              ? true
              : false
            : false
          : false
      )
    ? unknown
    : HandlerCannotTakePayload<Payload>;

/** What a compiler error shows for a handler whose reply is not the contract's. */
interface HandlerReturnsWrongReply<Expected> {
  readonly 'return the reply that the contract declares': Expected;
}

/** What a compiler error shows for a handler that relies on a user which its messages need not have. */
interface HandlerNeedsAuthenticated {
  readonly 'set { authenticated: true } to take an AuthenticatedConnection': true;
}

/** Whether a handler declares a connection whose `userId` is always there. */
type ReliesOnUser<H> = true extends (
  Parameter<H> extends infer P
    ? P extends [infer Declared]
      ? 0 extends 1 & Declared
        ? false
        : [Declared] extends [{ readonly userId: string; readonly sessionId: string }]
          ? true
          : false
      : false
    : false
)
  ? true
  : false;

type Fits<H extends (...parameters: never[]) => unknown, Payload, Result, Options> = [ReturnType<H>] extends [
  Result,
]
  ? (Options extends { readonly decorated: true } ? unknown : Takes<H, Payload>) &
      (Options extends { readonly authenticated: true }
        ? unknown
        : ReliesOnUser<H> extends true
          ? HandlerNeedsAuthenticated
          : unknown)
  : HandlerReturnsWrongReply<Result>;

type MessageDecorator<Payload, Result, Options> = <H extends (...parameters: never[]) => unknown>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<H> & Fits<H, Payload, Result, Options>,
) => void;

/**
 * Handles one client message of a contract: `(payload, connection)`, or any parameters with decorators of their own.
 * Its result (a value, Promise, Observable or AsyncIterable) is the reply to a message that has an id.
 */
export function OnMessage<
  C extends AnyContract,
  T extends ClientType<C>,
  const O extends OnMessageOptions = OnMessageOptions,
>(contract: C, type: T, options?: O): MessageDecorator<HandlerPayload<C, T>, HandlerResult<C, T>, O>;
export function OnMessage(contract: AnyContract, type: string, options: OnMessageOptions = {}) {
  const entry = contract.clientMessages.get(type);
  if (entry === undefined) {
    throw new Error(
      `Expected a client message of the contract, got "${type}": add it to \`client\` of defineContract() or fix the name.`,
    );
  }
  if ('allow' in options && typeof options.allow !== 'function') {
    throw new TypeError(
      `Expected the option allow of @OnMessage(…, '${type}') to be a function (connection) => boolean, got ${typeof options.allow}: leave it out to let every connection send this.`,
    );
  }
  const { allow, authenticated } = options;
  if ('authenticated' in options && typeof authenticated !== 'boolean') {
    throw new TypeError(
      `Expected the option authenticated of @OnMessage(…, '${type}') to be true or false, got ${typeof authenticated}.`,
    );
  }
  const route: MessageRoute = { contract, type, entry, allow, authenticated };
  return (target: object, key: string | symbol, descriptor: PropertyDescriptor): void => {
    Reflect.defineMetadata(MESSAGE_ROUTE, route, descriptor.value as object);
    SubscribeMessage(type)(target, key, descriptor);
    bindParameters(target, key, options.decorated === true);
  };
}

/** The route of a handler, or `undefined` for a method without `@OnMessage`. */
export function messageRouteOf(handler: unknown): MessageRoute | undefined {
  return typeof handler === 'function' ? Reflect.getMetadata(MESSAGE_ROUTE, handler) : undefined;
}

// Parameter decorators have run already: a handler that has one binds its own parameters.
function bindParameters(target: object, key: string | symbol, mustBeDecorated: boolean): void {
  if (Reflect.getMetadata(PARAM_ARGS_METADATA, target.constructor, key) !== undefined) return;
  const name = `${target.constructor.name}.${String(key)}`;
  if (mustBeDecorated) {
    throw new Error(
      `Expected ${name} with { decorated: true } to have a decorated parameter, got none: decorate its parameters or remove the option.`,
    );
  }
  const types: unknown[] = Reflect.getMetadata('design:paramtypes', target, key) ?? [];
  if (types[0] === Connection) {
    throw new Error(
      `${name} takes the connection first: write (payload, connection), or mark the parameters with @Payload() and ` +
        '@CurrentConnection().',
    );
  }
  MessageBody()(target, key, 0);
  ConnectedSocket()(target, key, 1);
}
