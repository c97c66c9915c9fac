import 'reflect-metadata';
import { ENTRY_PROVIDER_WATERMARK, GUARDS_METADATA } from '@nestjs/common/internal';
import { WebSocketGateway } from '@nestjs/websockets';
import type { Connection } from '../../connections/connection.js';
import type { AnyContract } from '../../contract/contract.js';
import { MessageGuard } from '../../messages/message.guard.js';
import { requireRealtimeModule, requireRealtimeModuleByGuard } from './gateway-claim.js';
import { normalizePath } from './gateway-path.js';

export interface RealtimeGatewayOptions {
  /** Where clients connect, e.g. `/ws` or `/venues/:venueId`; several gateways may share one path. */
  readonly path: string;
  /** The messages of this path; each client message of the contract needs one `@OnMessage` handler here. */
  readonly contract: AnyContract;
  /** Refuses clients without a `userId` with 401 or 4401, so that the hooks may take an `AuthenticatedConnection`. @default false */
  readonly authenticated?: boolean;
}

/** What a hook gets where anonymous clients may come: one that wants an `AuthenticatedConnection` does not fit. */
type AnyoneHook = (connection: Connection<never, never, never>, ...others: never[]) => unknown;

interface AnyoneHooks {
  readonly handleConnection?: AnyoneHook;
  readonly handleDisconnect?: AnyoneHook;
  readonly handleRefresh?: AnyoneHook;
}

/** A class decorator; without `authenticated` only for classes whose hooks do not rely on a user. */
type GatewayDecorator<Options> = Options extends { readonly authenticated: true }
  ? ClassDecorator
  : (target: abstract new (...parameters: never[]) => object & AnyoneHooks) => void;

const REALTIME_GATEWAY = Symbol('nestjs-realtime:gateway');

/** Marks the option bag that Nest hands to the adapter as one of ours. */
export const REALTIME_PATH = 'realtimePath';

/**
 * A gateway whose messages and replies are typed and validated by its contract, and whose `handleConnection` is awaited
 * before any of them. Guards, pipes, interceptors and filters work as they do on controllers.
 */
export function RealtimeGateway<const Options extends RealtimeGatewayOptions>(
  options: Options,
): GatewayDecorator<Options>;
export function RealtimeGateway(options: RealtimeGatewayOptions): ClassDecorator {
  const gateway = { ...options, path: normalizePath(options.path) };
  if ('authenticated' in options && typeof options.authenticated !== 'boolean') {
    throw new TypeError(
      `Expected the option authenticated of @RealtimeGateway on "${gateway.path}" to be true or false, got ${typeof options.authenticated}.`,
    );
  }
  return (target) => {
    const bag = { path: gateway.path, [REALTIME_PATH]: gateway.path };
    WebSocketGateway(bag as Parameters<typeof WebSocketGateway>[1] & object)(target);
    // First of the class's guards, wherever @UseGuards stands: the others then see a payload that was checked.
    // Those of a base class are among them, as Nest's own decorators inherit.
    const guards: unknown[] = Reflect.getMetadata(GUARDS_METADATA, target) ?? [];
    const others = guards.filter((guard) => guard !== MessageGuard);
    Reflect.defineMetadata(GUARDS_METADATA, [MessageGuard, ...others], target);
    // Nest binds request-scoped APP_GUARDs and their kin to such providers; without it they would be passed over.
    Reflect.defineMetadata(ENTRY_PROVIDER_WATERMARK, true, target);
    Reflect.defineMetadata(REALTIME_GATEWAY, gateway, target);
    requireRealtimeModule(target);
    decorated.add(new WeakRef(target));
  };
}

/** Weak, since a class may be made and forgotten, as in tests. */
const decorated = new Set<WeakRef<object>>();

/** Every class with `@RealtimeGateway` that this process has loaded. */
export function decoratedGateways(): (abstract new () => object)[] {
  const classes: (abstract new () => object)[] = [];
  for (const reference of decorated) {
    const target = reference.deref();
    if (target === undefined) decorated.delete(reference);
    else classes.push(target as abstract new () => object);
  }
  return classes;
}

/** The options of a class with `@RealtimeGateway`. */
export function realtimeGatewayOf(target: object): RealtimeGatewayOptions | undefined {
  return Reflect.getMetadata(REALTIME_GATEWAY, target);
}

requireRealtimeModuleByGuard(MessageGuard, (metatype) => realtimeGatewayOf(metatype) !== undefined);
