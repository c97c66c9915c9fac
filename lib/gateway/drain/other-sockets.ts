import type { Duplex } from 'node:stream';

/** Sockets that other upgrade listeners of the HTTP server may use. A closing HTTP server waits for them and ends none. */
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

  /** Destroys the sockets that their owners have not closed in time. */
  endWithin(ms: number): void {
    if (this.#open.size === 0) return;
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      for (const socket of this.#open) socket.destroy();
    }, ms);
    this.#deadline.unref();
  }
}
