import type { Writable } from 'node:stream';

/**
 * Gathers the writes of one turn of the event loop: a socket is corked at its first write and uncorked once at the
 * end of the turn, so any number of messages to it cost one system call.
 */
export class WriteBatch {
  #corked: Writable[] = [];
  #scheduled = false;

  /** Corks the socket until the turn ends. Call it once per socket and turn. */
  cork(socket: Writable): void {
    socket.cork();
    this.#corked.push(socket);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.flush());
  }

  /** Writes out everything gathered so far. */
  flush(): void {
    this.#scheduled = false;
    const sockets = this.#corked;
    this.#corked = [];
    for (const socket of sockets) socket.uncork();
  }
}
