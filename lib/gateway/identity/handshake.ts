import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import type { PathParams } from '../../connections/connection.js';

/** What `authenticate` gets of a client. */
export interface Handshake {
  /** From `Authorization: Bearer`, the `tokenCookie`, the subprotocol `bearer.<token>`, or a first `$auth` message. */
  readonly token: string | undefined;
  /** The one-use ticket of `?ticket=…`, if there is one. */
  readonly ticket: string | undefined;
  /** The upgrade request; when a token is refreshed, a copy of it. */
  readonly request: IncomingMessage;
  /** The page's origin; absent for clients that are not browsers. */
  readonly origin: string | undefined;
  readonly ip: string;
  /** The values of the path's `:params`. */
  readonly params: PathParams;
  readonly query: URLSearchParams;
  readonly cookies: Readonly<Record<string, string | undefined>>;
}

const BEARER = /^bearer +([^\s]+)$/i;
const BEARER_SUBPROTOCOL = 'bearer.';

/** Reads an upgrade request; the cookies and the query are parsed when first asked for. */
export function readHandshake(
  request: IncomingMessage,
  params: PathParams,
  ip: string,
  tokenCookie: string | false,
): Handshake {
  let cookies: Handshake['cookies'] | undefined;
  let query: URLSearchParams | undefined;
  return {
    token: tokenOf(request, tokenCookie),
    ticket: ticketOf(request.url),
    request,
    origin: request.headers.origin,
    ip,
    params,
    get query() {
      return (query ??= queryOf(request.url));
    },
    get cookies() {
      return (cookies ??= cookiesOf(request));
    },
  };
}

// More than any client needs, few enough to cost nothing.
const MAX_SUBPROTOCOLS = 32;

// RFC 9110 §5.6.2; the syntax of a subprotocol.
const SUBPROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The subprotocols a client offers; `bearer.<token>` among them is a secret and is never chosen. */
export function offeredSubprotocols({ headers }: IncomingMessage): string[] {
  const header = headers['sec-websocket-protocol'];
  if (header === undefined) return [];
  return header.split(',', MAX_SUBPROTOCOLS + 1).map((protocol) => protocol.trim());
}

/** Whether what it offers is a list of different subprotocols, and no longer than a client needs. */
export function hasValidSubprotocols(request: IncomingMessage): boolean {
  const offered = offeredSubprotocols(request);
  return (
    offered.length <= MAX_SUBPROTOCOLS &&
    new Set(offered).size === offered.length &&
    offered.every((protocol) => SUBPROTOCOL.test(protocol))
  );
}

function tokenOf(request: IncomingMessage, tokenCookie: string | false): string | undefined {
  const bearer = BEARER.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const offered = offeredSubprotocols(request).find((protocol) => protocol.startsWith(BEARER_SUBPROTOCOL));
  if (offered !== undefined) return offered.slice(BEARER_SUBPROTOCOL.length);
  return tokenCookie === false ? undefined : cookiesOf(request)[tokenCookie];
}

function ticketOf(url: string | undefined): string | undefined {
  // Looked for in the text first: most URLs have no query at all.
  return url?.includes('ticket=') ? (queryOf(url).get('ticket') ?? undefined) : undefined;
}

function cookiesOf(request: IncomingMessage): Handshake['cookies'] {
  const header = request.headers.cookie;
  return header === undefined ? {} : parseCookie(header);
}

function queryOf(url = ''): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : url.slice(start + 1));
}
