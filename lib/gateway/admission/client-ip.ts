import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from 'proxy-addr';
import { unmapped } from './client-network.js';

/**
 * The proxies whose X-Forwarded-For is used, as Express' `trust proxy`: `true` all, a number of hops, addresses and
 * subnets (`'loopback'`, `'10.0.0.0/8'`), or a function.
 */
export type TrustProxy =
  boolean | number | string | readonly string[] | ((ip: string, hop: number) => boolean);

export const TRUST_PROXY_DEFAULT: TrustProxy = false;

// Each costs a lookup in the list of trusted proxies; a header of 16 KB has room for thousands.
const MAX_PROXIES = 32;

/** Creates the function that finds the client IP of a request; with `false` headers are ignored. */
export function createClientIp(trustProxy: TrustProxy): (request: IncomingMessage) => string {
  if (trustProxy === false) return peerOf;
  const trusts = compileTrust(trustProxy);
  return (request) => {
    const peer = peerOf(request);
    try {
      const found = proxyAddr(
        request,
        (ip, hop) => hop < MAX_PROXIES && trusts(hop === 0 ? peer : (addressIn(ip) ?? ip), hop),
      );
      // What a proxy forwards unread can be any text. The peer itself has no address on a Unix socket.
      return addressIn(found) ?? peer;
    } catch {
      return peer;
    }
  };
}

/** The other end of the socket. That of a Unix socket is a process on this machine and has no address: loopback. */
function peerOf({ socket }: IncomingMessage): string {
  const { remoteAddress } = socket;
  return remoteAddress === undefined ? '127.0.0.1' : unmapped(remoteAddress);
}

/** The IP in an entry of X-Forwarded-For; some proxies add a port or brackets. */
function addressIn(entry: string | undefined): string | undefined {
  if (entry === undefined) return undefined;
  if (isIP(entry) !== 0) return unmapped(entry);
  const ip = /^\[([\da-f:.]+)\](?::\d+)?$/i.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1];
  return ip === undefined || isIP(ip) === 0 ? undefined : unmapped(ip);
}

function compileTrust(trustProxy: Exclude<TrustProxy, false>): (ip: string, hop: number) => boolean {
  if (typeof trustProxy === 'function') {
    // `proxy-addr` takes a promise for true.
    const trusts: (ip: string, hop: number) => unknown = trustProxy;
    return (ip, hop) => trusts(ip, hop) === true;
  }
  if (trustProxy === true) return () => true;
  if (typeof trustProxy === 'number') return (_ip, hop) => hop < trustProxy;
  try {
    const list =
      typeof trustProxy === 'string' ? trustProxy.split(',').map((part) => part.trim()) : [...trustProxy];
    return proxyAddr.compile(list);
  } catch (cause) {
    throw new TypeError(
      `RealtimeModule expected the option trustProxy to be true, a number of hops, a function, or addresses like 'loopback, 10.0.0.0/8': ${(cause as Error).message}.`,
      { cause },
    );
  }
}
