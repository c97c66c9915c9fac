import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** The service that `authenticate` calls; accepts every `<user>.<expires at>` until it expires. */
export class AuthService {
  mode: 'working' | 'failing' = 'working';
  #server: Server | undefined;
  #port = 0;

  static async start(): Promise<AuthService> {
    const service = new AuthService();
    await service.start();
    return service;
  }

  get port(): number {
    return this.#port;
  }

  /** Starts the service, on the same port after a stop. */
  async start(): Promise<void> {
    const server = createServer((request, response) => {
      if (this.mode === 'failing') {
        response.writeHead(503).end();
        return;
      }
      const [userId = '', expiresAt = ''] = decodeURIComponent(request.url?.slice(1) ?? '').split('.');
      if (Number(expiresAt) <= Date.now()) response.writeHead(401).end();
      else response.end(JSON.stringify({ userId, expiresAt: Number(expiresAt) }));
    });
    this.#server = server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Stops the service, so that connections are refused. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server?.listening !== true) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
}
