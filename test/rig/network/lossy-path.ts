import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands before Redis and can swallow its replies. */
export class LossyPath {
  swallows = false;
  /** Connections made so far. */
  opened = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(port: number) {
    this.#server = createServer((socket) => {
      this.opened++;
      const upstream = connect(port, '127.0.0.1');
      for (const end of [socket, upstream]) {
        this.#sockets.add(end);
        end.on('error', () => {}).on('close', () => this.#sockets.delete(end));
      }
      socket.pipe(upstream);
      upstream.on('data', (bytes) => {
        if (!this.swallows) socket.write(bytes);
      });
    });
  }

  async open(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  breakAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.breakAll();
    this.#server.close();
  }
}
