import type { Duplex } from 'node:stream';

/**
 * The sockets that other upgrade listeners of the HTTP server may have taken. An HTTP server that closes waits for them,
 * and ends none itself.
 */
export class OtherSockets {
  readonly #open = new Set<Duplex>();
  #deadline: NodeJS.Timeout | undefined;

  add(socket: Duplex): void {
    this.#open.add(socket);
    // Node removes its own listener with the upgrade: an error that no listener handles would end the process.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) clearTimeout(this.#deadline);
    });
  }

  /** Ends those that their owners have not closed by then. */
  endWithin(ms: number): void {
    if (this.#open.size === 0) return;
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      for (const socket of this.#open) socket.destroy();
    }, ms);
    this.#deadline.unref();
  }
}
