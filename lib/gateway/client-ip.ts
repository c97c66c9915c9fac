import type { IncomingMessage } from 'node:http';
import proxyAddr from 'proxy-addr';

/**
 * Which proxies may say who the client is, as Express' `trust proxy`: `true` all, a number of hops, addresses and
 * subnets (`'loopback'`, `'10.0.0.0/8'`), or a function.
 */
export type TrustProxy =
  boolean | number | string | readonly string[] | ((ip: string, hop: number) => boolean);

/** Makes the function that finds a request's client; with `false` no header is believed. */
export function clientIpOf(trustProxy: TrustProxy): (request: IncomingMessage) => string {
  if (trustProxy === false) return ({ socket }) => socket.remoteAddress ?? '';
  const trust = compileTrust(trustProxy);
  return (request) => {
    try {
      return proxyAddr(request as Parameters<typeof proxyAddr>[0], trust);
    } catch {
      // A forwarded header that is no list of addresses says nothing.
      return request.socket.remoteAddress ?? '';
    }
  };
}

function compileTrust(trustProxy: Exclude<TrustProxy, false>): (ip: string, hop: number) => boolean {
  if (typeof trustProxy === 'function') return trustProxy;
  if (trustProxy === true) return () => true;
  if (typeof trustProxy === 'number') return (_ip, hop) => hop < trustProxy;
  const list =
    typeof trustProxy === 'string' ? trustProxy.split(',').map((part) => part.trim()) : [...trustProxy];
  return proxyAddr.compile(list);
}
