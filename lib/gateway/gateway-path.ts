import type { PathParams } from '../connections/connection.js';
import { match, type MatchFunction } from 'path-to-regexp';

/** A gateway's path with one leading slash and none at its end. */
export function normalizePath(path: string): string {
  if (typeof path !== 'string') {
    throw new TypeError(
      `Expected the path of a @RealtimeGateway to be a string like "/ws", got ${typeof path}.`,
    );
  }
  return `/${path.replace(/^\/+|\/+$/g, '')}`;
}

/** The path of a request's URL, without query; `undefined` when the URL is not one. */
export function pathnameOf(url: string | undefined): string | undefined {
  if (url === undefined || !url.startsWith('/')) return undefined;
  const end = url.search(/[?#]/);
  const pathname = end < 0 ? url : url.slice(0, end);
  return pathname.length > 1 && pathname.endsWith('/') ? pathname.slice(0, -1) : pathname;
}

/** Recognizes one declared path, with its `:params`. */
export class GatewayPath {
  readonly #match: MatchFunction<Record<string, string>>;

  constructor(readonly path: string) {
    this.#match = match<Record<string, string>>(path, { sensitive: true });
  }

  /** The params when the pathname is this path; `undefined` when it is another or is badly encoded. */
  paramsOf(pathname: string): PathParams | undefined {
    if (pathname === this.path) return NO_PARAMS;
    try {
      const found = this.#match(pathname);
      return found === false ? undefined : Object.freeze({ ...found.params });
    } catch {
      return undefined;
    }
  }
}

export const NO_PARAMS: PathParams = Object.freeze({});
