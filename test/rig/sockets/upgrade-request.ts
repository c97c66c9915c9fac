import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { upgradeHeaders } from './client-bytes.js';

/** The server's response to an upgrade request; status 101 if it is accepted. */
export interface UpgradeResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface UpgradeRequest {
  readonly path?: string;
  readonly method?: string;
  /** Added to those of every upgrade; `undefined` removes one. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** Requests an upgrade and reads the response; an opened WebSocket is destroyed. */
export async function upgrade(port: number, options: UpgradeRequest = {}): Promise<UpgradeResponse> {
  const { path = '/lobby', method = 'GET', headers } = options;
  const sent = request({ host: '127.0.0.1', port, path, method, agent: false });
  for (const [name, value] of Object.entries({ ...upgradeHeaders(), ...headers })) {
    if (value === undefined) sent.removeHeader(name);
    else sent.setHeader(name, value);
  }
  sent.end();
  const [response, socket] = (await Promise.race([once(sent, 'response'), once(sent, 'upgrade')])) as [
    IncomingMessage,
    Socket | undefined,
  ];
  socket?.destroy();
  let body = '';
  if (socket === undefined) for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

/** A TCP connection; it is destroyed at the end of the test. */
export function tcpConnection(port: number): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Everything a socket receives until it contains a given text. */
export function readUntil(socket: Socket, text: string): Promise<string> {
  let read = '';
  return new Promise((resolve, reject) => {
    socket.on('data', (data) => {
      read += data.toString('latin1');
      if (read.includes(text)) resolve(read);
    });
    socket.on('close', () => reject(new Error(`closed after ${read}`)));
  });
}
