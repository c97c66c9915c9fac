import type { LoggerService } from '@nestjs/common';
import { CloseCode } from '../protocol/close-codes.js';
import { encodeMessage } from '../protocol/codec.js';
import type { Admission } from './admission.js';
import type { ConnectionLifecycle } from './connection-lifecycle.js';
import type { GatewayConnection } from './gateway-connection.js';
import type { SocketSessions } from './socket-sessions.js';

export interface DrainSettings {
  /** How many clients per second the other nodes can take. */
  readonly reconnectsPerSecond: number;
  /** When connections that are still there are cut. */
  readonly timeoutMs: number;
}

const AT_ONCE: DrainSettings = { reconnectsPerSecond: Infinity, timeoutMs: 1_000 };
const SLICE_MS = 50;
const MAX_GRACE_MS = 1_000;
// The last slice and its closing handshakes have to fit in before the deadline.
const WINDOW_SHARE = 0.7;

/**
 * Empties the node before the process ends. New clients are sent elsewhere; each connection is told when to leave,
 * spread over a window that the other nodes can take, and is closed with 1012 shortly after its time, once its
 * handlers have finished. What is left at the deadline is cut.
 */
export class Drain {
  #isDraining = false;

  constructor(
    private readonly sockets: SocketSessions,
    private readonly admission: Admission,
    private readonly lifecycle: ConnectionLifecycle,
    private readonly settings: DrainSettings | false,
    private readonly logger: LoggerService,
  ) {}

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Resolves when no connection is left and every `handleDisconnect` has ended. */
  async run(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.admission.close();
    const { size } = this.sockets;
    if (size > 0) await this.#empty(size, this.settings || AT_ONCE);
    await this.lifecycle.settled();
  }

  async #empty(size: number, { reconnectsPerSecond, timeoutMs }: DrainSettings): Promise<void> {
    const windowMs = Math.min((size / reconnectsPerSecond) * 1_000, timeoutMs * WINDOW_SHARE);
    this.logger.log(`draining ${size} connections over ${Math.round(windowMs)} ms`);
    const emptied = this.sockets.emptied();
    const deadline = setTimeout(() => {
      for (const connection of [...this.sockets]) connection.terminate();
    }, timeoutMs).unref();
    const slices = this.#advise(windowMs);
    const graceMs = Math.min(MAX_GRACE_MS, windowMs);
    const timers = slices.map((slice, i) =>
      setTimeout(() => this.#close(slice), i * SLICE_MS + graceMs).unref(),
    );
    await emptied;
    for (const timer of timers) clearTimeout(timer);
    clearTimeout(deadline);
  }

  /** Tells every client its time; gives back the clients by slices of time. */
  #advise(windowMs: number): GatewayConnection[][] {
    const slices: GatewayConnection[][] = Array.from(
      { length: Math.floor(windowMs / SLICE_MS) + 1 },
      () => [],
    );
    for (const connection of [...this.sockets]) {
      const reconnectAfterMs = Math.round(Math.random() * windowMs);
      connection.sendText(encodeMessage('$goaway', { reconnectAfterMs }));
      slices[Math.floor(reconnectAfterMs / SLICE_MS)]?.push(connection);
    }
    return slices;
  }

  #close(slice: readonly GatewayConnection[]): void {
    for (const connection of slice) {
      void connection.inbox
        .settled()
        .then(() => connection.close(CloseCode.SERVICE_RESTART, 'the server restarts'));
    }
  }
}
