import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** The network between a client and its server, with everything that networks do. */
export class TcpProxy {
  readonly #server = createServer({ pauseOnConnect: true }, (client) => this.#take(client));
  readonly #sockets = new Set<Socket>();
  #target = 0;
  #mode: 'forward' | 'refuse' | 'swallow' = 'forward';

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** New connections go here; those that are open stay where they are. */
  forwardTo(port: number): void {
    this.#target = port;
    this.#mode = 'forward';
  }

  /** Everything that is open is reset, as by a crash. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Nobody is there: what is open is reset, what comes is turned away. */
  refuse(): void {
    this.#mode = 'refuse';
    this.reset();
  }

  /** Nothing arrives any more, in either direction, and nobody is told. */
  swallow(): void {
    this.#mode = 'swallow';
    for (const socket of this.#sockets) socket.unpipe().resume();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(client: Socket): void {
    this.#keep(client);
    if (this.#mode === 'refuse') client.resetAndDestroy();
    else if (this.#mode === 'swallow') client.resume();
    else this.#join(client, this.#keep(connect(this.#target, '127.0.0.1')));
  }

  #join(client: Socket, server: Socket): void {
    client.pipe(server);
    server.pipe(client);
    // A network that swallows swallows the end as well.
    const endBoth = () => {
      if (this.#mode === 'swallow') return;
      client.destroy();
      server.destroy();
    };
    client.on('close', endBoth);
    server.on('close', endBoth);
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    return socket;
  }
}
