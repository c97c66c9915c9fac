import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { PathParams } from '../../connections/connection.js';
import { readHandshake, type Handshake } from './handshake.js';

/**
 * The handshake of a connection, kept to authenticate its refreshed tokens. It is one string, since Node's request with its
 * headers takes as much memory as the rest of a connection.
 */
export class HandshakeSnapshot {
  /** The URL, then names and values of headers, in lines: no header holds a newline. */
  readonly #text: string;
  readonly #socket: Socket;
  readonly #ip: string;
  readonly #params: PathParams;

  constructor({ request, ip, params }: Handshake) {
    const lines = [request.url];
    for (const name in request.headers) lines.push(name, String(request.headers[name]));
    this.#text = lines.join('\n');
    this.#socket = request.socket;
    this.#ip = ip;
    this.#params = params;
  }

  /** The same handshake with a copy of its request. Its token is the one of the upgrade request, if a header held it. */
  restored(): Handshake {
    const [url, ...rawHeaders] = this.#text.split('\n') as [string, ...string[]];
    const request = new IncomingMessage(this.#socket);
    request.method = 'GET';
    request.httpVersion = '1.1';
    request.url = url;
    request.rawHeaders = rawHeaders;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      request.headers[rawHeaders[i] as string] = rawHeaders[i + 1];
    }
    return readHandshake(request, this.#params, this.#ip, false);
  }
}
