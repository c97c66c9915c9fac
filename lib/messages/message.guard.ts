import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Connection } from '../connections/connection.js';
import type { Validation } from '../contract/payload-validator.js';
import { ErrorCode, defaultErrorMessage } from '../protocol/error-codes.js';
import { messageRouteOf, type MessageRoute } from './on-message.decorator.js';
import { RealtimeException } from './realtime.exception.js';
import { isPromiseLike } from './returned-value.js';

/**
 * Lets a message through to its handler when its type is known, this connection may send it, and its payload fits the
 * contract; the handler gets the typed instance. `@RealtimeGateway` applies it; a plain gateway may with `@UseGuards`.
 */
@Injectable()
export class MessageGuard implements CanActivate {
  readonly #routes = new WeakMap<object, MessageRoute>();

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return this.admit(context.getHandler(), context.getArgs<unknown[]>());
  }

  /** @internal The same without a context around it. */
  admit(handler: object, args: unknown[]): boolean | Promise<boolean> {
    const route = this.#routeOf(handler);
    if (route.authenticated === true && (args[0] as Connection).userId === undefined) {
      throw new RealtimeException(ErrorCode.UNAUTHENTICATED);
    }
    const allowed: unknown = route.allow === undefined || route.allow(args[0] as Connection);
    if (allowed === true) return validate(route, args);
    if (!isPromiseLike(allowed)) throw new RealtimeException(ErrorCode.FORBIDDEN);
    return Promise.resolve(allowed).then((isAllowed) => {
      if (isAllowed === true) return validate(route, args);
      throw new RealtimeException(ErrorCode.FORBIDDEN);
    });
  }

  /** @internal Whether the guard is this class, not an app's subclass that overrides it. */
  static isPlain(guard: CanActivate): guard is MessageGuard {
    return guard instanceof MessageGuard && guard.canActivate === MessageGuard.prototype.canActivate;
  }

  #routeOf(handler: object): MessageRoute {
    const known = this.#routes.get(handler);
    if (known !== undefined) return known;
    const route = messageRouteOf(handler);
    if (route === undefined) throw new RealtimeException(ErrorCode.UNKNOWN_TYPE);
    this.#routes.set(handler, route);
    return route;
  }
}

function validate(route: MessageRoute, args: unknown[]): boolean | Promise<boolean> {
  const validation = route.entry.payload.validate(args[1]);
  return validation instanceof Promise
    ? validation.then((settled) => accept(settled, args))
    : accept(validation, args);
}

// Everything that runs after the guard, the handler included, reads the typed instance from the same arguments.
function accept(validation: Validation, args: unknown[]): true {
  if (validation.issues !== undefined) {
    const code = ErrorCode.VALIDATION_FAILED;
    throw new RealtimeException(code, defaultErrorMessage(code), { issues: validation.issues });
  }
  args[1] = validation.value;
  return true;
}
