import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from 'proxy-addr';

/**
 * Which proxies may say who the client is, as Express' `trust proxy`: `true` all, a number of hops, addresses and
 * subnets (`'loopback'`, `'10.0.0.0/8'`), or a function.
 */
export type TrustProxy =
  boolean | number | string | readonly string[] | ((ip: string, hop: number) => boolean);

/** Makes the function that finds a request's client; with `false` no header is believed. */
export function clientIpOf(trustProxy: TrustProxy): (request: IncomingMessage) => string {
  if (trustProxy === false) return peerOf;
  const trust = compileTrust(trustProxy);
  return (request) => {
    try {
      const ip = proxyAddr(request, trust);
      // What a proxy forwards unread is any text a client likes, and no address.
      return isIP(ip) === 0 ? peerOf(request) : ip;
    } catch {
      return peerOf(request);
    }
  };
}

function peerOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? '';
}

function compileTrust(trustProxy: Exclude<TrustProxy, false>): (ip: string, hop: number) => boolean {
  if (typeof trustProxy === 'function') {
    // `proxy-addr` would take a promise for a yes.
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
