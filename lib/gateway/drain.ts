import type { LoggerService } from '@nestjs/common';
import { CloseCode } from '../protocol/close-codes.js';
import { encodeMessage } from '../protocol/codec.js';
import type { Admission } from './admission.js';
import type { ConnectionLifecycle } from './connection-lifecycle.js';
import { DRAIN_AT_ONCE, drainWindow, SLICE_MS, type DrainSettings } from './drain-schedule.js';
import type { GatewayConnection } from './gateway-connection.js';
import type { SocketSessions } from './socket-sessions.js';

// What the hooks of connections that were cut at the deadline get.
const LAST_HOOKS_MS = 1_000;

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

  /** Resolves when no connection is left and every `handleDisconnect` has ended, or has had its time. */
  async run(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.admission.close();
    const { size } = this.sockets;
    const settings = this.settings || DRAIN_AT_ONCE;
    const endsAt = performance.now() + settings.timeoutMs;
    if (size > 0) await this.#empty(size, settings);
    await this.#hooksEnd(Math.max(LAST_HOOKS_MS, endsAt - performance.now()));
  }

  async #empty(size: number, settings: DrainSettings): Promise<void> {
    const { windowMs, graceMs } = drainWindow(size, settings);
    this.logger.log(`draining ${size} connections over ${Math.round(windowMs)} ms`);
    const emptied = this.sockets.emptied();
    const deadline = setTimeout(() => {
      for (const connection of [...this.sockets]) connection.terminate();
    }, settings.timeoutMs).unref();
    const slices = this.#advise(windowMs);
    const timers = slices.map((slice, i) =>
      setTimeout(() => this.#close(slice), i * SLICE_MS + graceMs).unref(),
    );
    await emptied;
    for (const timer of timers) clearTimeout(timer);
    clearTimeout(deadline);
  }

  /** A hook that hangs must not hold the process for ever. */
  async #hooksEnd(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const givenUp = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.logger.warn('the drain ended without waiting any longer for gateway hooks that still run');
        resolve();
      }, timeoutMs);
    });
    await Promise.race([this.lifecycle.settled(), givenUp]);
    clearTimeout(timer);
  }

  /** Tells every client its time; gives back the clients by slices of time. */
  #advise(windowMs: number): GatewayConnection[][] {
    const slices: GatewayConnection[][] = Array.from(
      { length: Math.floor(windowMs / SLICE_MS) + 1 },
      () => [],
    );
    for (const connection of [...this.sockets]) {
      const reconnectAfterMs = Math.floor(Math.random() * windowMs);
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
