import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/internal';
import {
  GATEWAY_METADATA,
  GATEWAY_OPTIONS,
  MESSAGE_MAPPING_METADATA,
  PORT_METADATA,
} from '@nestjs/websockets/internal';
import type { Enhancers } from '../../messages/enhancers.js';
import { messageRouteOf } from '../../messages/on-message.decorator.js';
import { GatewayInstance, type ConnectionScopes } from './gateway-instance.js';
import type { PathParams } from '../../connections/connection.js';
import { normalizePath, NO_PARAMS } from './gateway-path.js';
import { decoratedGateways, realtimeGatewayOf } from './realtime-gateway.decorator.js';
import { Route, type RouteGateway } from './route.js';

/** Every `@RealtimeGateway` of the app, by path; every fault of theirs throws here, at boot. */
export class Routes {
  readonly #byPath = new Map<string, Route>();
  readonly #byText = new Map<string, Route>();

  get paths(): string[] {
    return [...this.#byPath.keys()];
  }

  get all(): Iterable<Route> {
    return this.#byPath.values();
  }

  /** The route of a request's path and the values of its params. */
  match(pathname: string): { route: Route; params: PathParams } | undefined {
    // A path without params is found by its text; of one with params the text is an URL like any other.
    const exact = this.#byText.get(pathname);
    if (exact !== undefined) return { route: exact, params: NO_PARAMS };
    for (const route of this.#byPath.values()) {
      const params = route.path.paramsOf(pathname);
      if (params !== undefined) return { route, params };
    }
    return undefined;
  }

  /** Finds the gateways among the providers of all modules. */
  discover(modules: ModulesContainer, enhancers: Enhancers, scopes: ConnectionScopes): void {
    const plainPaths = new Map<string, string>();
    const known = new Set<unknown>();
    for (const [moduleKey, { providers }] of modules) {
      for (const wrapper of providers.values()) {
        const { metatype } = wrapper;
        if (typeof metatype !== 'function' || wrapper.isNotMetatype) continue;
        const options = realtimeGatewayOf(metatype);
        if (options === undefined) {
          notePlainGateway(metatype, plainPaths);
          continue;
        }
        requireOneInstance(wrapper, known);
        const instance = new GatewayInstance(
          wrapper as InstanceWrapper<object>,
          moduleKey,
          scopes,
          enhancers,
        );
        const { contract, authenticated = false } = options;
        this.#add(options.path, { instance, contract, authenticated });
      }
    }
    for (const route of this.#byPath.values()) {
      requireHandlers(route);
      requireAgreement(route);
    }
    requireReachable([...this.#byPath.values()]);
    for (const [path, plain] of plainPaths) {
      const taken = this.match(path)?.route.path.path;
      if (taken === undefined) continue;
      const which =
        taken === path ? 'of a @RealtimeGateway' : `which "${taken}" of a @RealtimeGateway matches`;
      throw new Error(
        `${plain} is a plain @WebSocketGateway on the path "${path}"${taken === path ? ' ' : ', '}${which}: give it a path of its own.`,
      );
    }
  }

  /** Throws for a gateway of authenticated clients in an app without `authenticate`. */
  requireAuthenticate(isGiven: boolean): void {
    const gateway = [...this.#byPath.values()]
      .flatMap(({ gateways }) => gateways)
      .find(({ authenticated }) => authenticated);
    if (isGiven || gateway === undefined) return;
    throw new Error(
      `${gateway.instance.name} has { authenticated: true }, but RealtimeModule has no \`authenticate\`: add it to RealtimeModule.forRoot(); for tickets alone write \`authenticate: () => null\`.`,
    );
  }

  /** A warning for each class with `@RealtimeGateway` that is in no module, and of which no gateway here is a subclass. */
  unlisted(): string[] {
    const listed = [...this.#byPath.values()].flatMap(({ gateways }) =>
      gateways.map(({ instance }) => instance.prototype),
    );
    return decoratedGateways()
      .filter(({ prototype }) =>
        listed.every(
          (known) => known !== prototype && !Object.prototype.isPrototypeOf.call(prototype, known),
        ),
      )
      .map(
        ({ name }) =>
          `${name} has @RealtimeGateway, but no module of this app has it in \`providers\`, so that nothing serves its path: add it to the providers of a module.`,
      );
  }

  #add(path: string, gateway: RouteGateway): void {
    const route = this.#byPath.get(path) ?? new Route(path);
    this.#byPath.set(path, route);
    const { text } = route.path;
    if (text !== undefined) this.#byText.set(text, route);
    route.gateways.push(gateway);
    for (const methodName of new MetadataScanner().getAllMethodNames(gateway.instance.prototype)) {
      addHandler(route, gateway, methodName);
    }
  }
}

/** A connection belongs to all gateways of its path, so they have to agree. */
function requireAgreement({ gateways, path }: Route): void {
  const closed = gateways.find(({ authenticated }) => authenticated);
  const open = gateways.find(({ authenticated }) => !authenticated);
  if (closed === undefined || open === undefined) return;
  throw new Error(
    `${closed.instance.name} has { authenticated: true } and ${open.instance.name} has not, on the one path "${path.path}": set it on both, or give one of them a path of its own.`,
  );
}

function addHandler(
  route: Route,
  { instance, contract, authenticated }: RouteGateway,
  methodName: string,
): void {
  const method = instance.prototype[methodName];
  const name = `${instance.name}.${methodName}`;
  const message = messageRouteOf(method);
  if (message === undefined) {
    if (typeof method !== 'function' || !Reflect.hasMetadata(MESSAGE_MAPPING_METADATA, method)) return;
    throw new Error(
      `${name} has @SubscribeMessage, which no contract knows: use @OnMessage(contract, type).`,
    );
  }
  if (message.contract !== contract) {
    throw new Error(
      `${name} handles "${message.type}" of another contract than ${instance.name}'s own: pass the gateway's contract to @OnMessage.`,
    );
  }
  if (route.handlers.has(message.type)) {
    throw new Error(
      `${name} is the second handler for "${message.type}" on the path "${route.path.path}": keep one, since a message gets one reply.`,
    );
  }
  if (authenticated && message.authenticated === false) {
    throw new Error(
      `${name} has { authenticated: false }, but ${instance.name} takes no anonymous connections: leave it out, or take { authenticated: true } from the gateway.`,
    );
  }
  route.handlers.set(message.type, { source: instance.handlers(methodName), cost: message.entry.cost });
}

function requireHandlers(route: Route): void {
  for (const { contract, instance } of route.gateways) {
    for (const type of contract.clientMessages.keys()) {
      if (route.handlers.has(type)) continue;
      throw new Error(
        `No handler for the client message "${type}" on the path "${route.path.path}": add an @OnMessage(…, '${type}') method to ${instance.name}, or take it out of the contract.`,
      );
    }
  }
}

/** Two instances of a class would run its hooks twice per connection; a transient one is never constructed. */
function requireOneInstance({ metatype, name, isTransient }: InstanceWrapper, known: Set<unknown>): void {
  if (isTransient) {
    throw new Error(
      `${name} has @RealtimeGateway and Scope.TRANSIENT, but no provider asks for it, so that Nest does not construct it: leave the scope out, or use Scope.REQUEST for one instance per connection.`,
    );
  }
  if (known.has(metatype)) {
    throw new Error(
      `${name} has @RealtimeGateway and is provided twice, so that its hooks would run twice for each connection: keep it in the \`providers\` of one module.`,
    );
  }
  known.add(metatype);
}

/** Requests go to the first path that matches; one with no params goes before those with params. */
function requireReachable(routes: readonly Route[]): void {
  for (const [index, { path, gateways }] of routes.entries()) {
    const earlier = routes.slice(0, index);
    const rivals =
      path.text === undefined ? earlier : earlier.filter(({ path: { text } }) => text !== undefined);
    const taking = rivals.find((rival) => rival.path.covers(path));
    if (taking === undefined) continue;
    const fix = path.covers(taking.path)
      ? 'give both the same path, or different ones'
      : 'list it first in the providers, or give it another path';
    throw new Error(
      `No request would reach the path "${path.path}" of ${gateways[0]?.instance.name}, since "${taking.path.path}" of ${taking.gateways[0]?.instance.name} comes first and matches all of it: ${fix}.`,
    );
  }
}

function notePlainGateway(metatype: { name: string }, plainPaths: Map<string, string>): void {
  if (!Reflect.hasMetadata(GATEWAY_METADATA, metatype)) return;
  // On a port of its own it may have any path.
  if (Reflect.getMetadata(PORT_METADATA, metatype)) return;
  const { path = '/' } = (Reflect.getMetadata(GATEWAY_OPTIONS, metatype) ?? {}) as { path?: string };
  plainPaths.set(normalizePath(path), metatype.name);
}
