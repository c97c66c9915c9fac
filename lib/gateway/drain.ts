import { CloseCode } from '../protocol/close-codes.js';
import type { ConnectionLifecycle } from './connection-lifecycle.js';
import type { SocketSessions } from './socket-sessions.js';

/** Ends every connection when the app shuts down: first politely, then, after the deadline, at once. */
export class Drain {
  constructor(
    private readonly sockets: SocketSessions,
    private readonly lifecycle: ConnectionLifecycle,
    private readonly deadlineMs: number,
  ) {}

  /** Resolves when no connection is left and every `handleDisconnect` has ended. */
  async run(): Promise<void> {
    const emptied = this.sockets.emptied();
    for (const connection of [...this.sockets]) {
      connection.close(CloseCode.SERVICE_RESTART, 'the server restarts');
    }
    const deadline = setTimeout(() => {
      for (const connection of [...this.sockets]) connection.terminate();
    }, this.deadlineMs);
    await emptied;
    clearTimeout(deadline);
    await this.lifecycle.settled();
  }
}
