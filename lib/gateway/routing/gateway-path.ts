import type { PathParams } from '../../connections/connection.js';
import { match, parse, type MatchFunction, type Token } from 'path-to-regexp';
import { samplesOf } from '../path-samples.js';

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

/** Recognizes one declared path, with its `:params`, `*wildcards` and `{optional parts}`. */
export class GatewayPath {
  /** The pathname it stands for when it has no params and no optional parts. */
  readonly text: string | undefined;
  readonly #tokens: Token[];
  readonly #match: MatchFunction<Record<string, string | string[]>>;

  constructor(readonly path: string) {
    let tokens: Token[];
    try {
      ({ tokens } = parse(path));
    } catch (cause) {
      throw new TypeError(
        `Expected the path of a @RealtimeGateway to be like "/ws", "/venues/:venueId" or "/files/*rest", got "${path}": ${(cause as Error).message}.`,
        { cause },
      );
    }
    this.#tokens = tokens;
    const isText = tokens.every(({ type }) => type === 'text');
    this.text = isText ? tokens.map((token) => (token as { value: string }).value).join('') : undefined;
    this.#match = match<Record<string, string | string[]>>(path, { sensitive: true });
  }

  /** The params when the pathname is this path; `undefined` when it is another or is badly encoded. */
  paramsOf(pathname: string): PathParams | undefined {
    if (this.text !== undefined) return pathname === this.text ? NO_PARAMS : undefined;
    try {
      const found = this.#match(pathname);
      return found === false ? undefined : paramsFrom(found.params);
    } catch {
      return undefined;
    }
  }

  /** Whether every pathname of the other path is one of this path. */
  covers(other: GatewayPath): boolean {
    return samplesOf(other.#tokens).every((pathname) => this.paramsOf(pathname) !== undefined);
  }
}

/** Each param as one text. Segments of a wildcard are joined, so one with a slash in it would be read as two: refused. */
function paramsFrom(values: Readonly<Record<string, string | string[]>>): PathParams | undefined {
  const params: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'string') params[name] = value;
    else if (value.some((segment) => segment.includes('/'))) return undefined;
    else params[name] = value.join('/');
  }
  return Object.freeze(params);
}

export const NO_PARAMS: PathParams = Object.freeze({});
