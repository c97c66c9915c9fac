import type { LoggerService } from '@nestjs/common';
import { CloseCode } from '../../protocol/close-codes.js';
import { encodeMessage } from '../../protocol/codec.js';
import type { Admission } from '../admission/admission.js';
import type { ConnectionLifecycle } from '../lifecycle/connection-lifecycle.js';
import { drainSchedule, SLICE_MS, type DrainSchedule, type DrainSettings } from './drain-schedule.js';
import type { GatewayConnection } from '../lifecycle/gateway-connection.js';
import type { OpenSockets } from '../lifecycle/open-sockets.js';

// The time for hooks of connections that were terminated at the deadline.
const LAST_HOOKS_MS = 1_000;

/**
 * Closes every connection before the process ends. New upgrades get 503; each client gets `$goaway` with a time, spread so
 * that the other nodes can accept the reconnects, and is closed with 1012 after that time and its running handlers.
 * Connections that are still open at the deadline are terminated.
 */
export class Drain {
  #run: Promise<void> | undefined;
  #endsAt = 0;

  constructor(
    private readonly sockets: OpenSockets,
    private readonly admission: Admission,
    private readonly lifecycle: ConnectionLifecycle,
    private readonly settings: DrainSettings | false,
    private readonly logger: LoggerService,
  ) {}

  get isDraining(): boolean {
    return this.#run !== undefined;
  }

  /** The time until the deadline. */
  get remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  /** Resolves when no connection is left and every `handleDisconnect` has ended or has run out of time. */
  run(): Promise<void> {
    return (this.#run ??= this.#drain());
  }

  async #drain(): Promise<void> {
    this.admission.close();
    const { size } = this.sockets;
    const schedule = drainSchedule(size, this.settings);
    this.#endsAt = performance.now() + schedule.timeoutMs;
    if (size > 0) await this.#empty(size, schedule);
    await this.#hooksEnd(Math.max(LAST_HOOKS_MS, this.remainingMs));
  }

  async #empty(size: number, { windowMs, graceMs, timeoutMs }: DrainSchedule): Promise<void> {
    this.logger.log(`draining ${size} connections over ${Math.round(windowMs)} ms`);
    const emptied = this.sockets.emptied();
    const deadline = setTimeout(() => {
      for (const connection of [...this.sockets]) connection.terminate();
    }, timeoutMs).unref();
    const slices = this.#advise(windowMs);
    const timers = slices.map((slice, i) =>
      setTimeout(() => this.#close(slice), i * SLICE_MS + graceMs).unref(),
    );
    await emptied;
    for (const timer of timers) clearTimeout(timer);
    clearTimeout(deadline);
  }

  /** A hook that never returns must not keep the process alive. */
  async #hooksEnd(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.logger.warn('the drain ended without waiting any longer for gateway hooks that still run');
        resolve();
      }, timeoutMs);
    });
    await Promise.race([this.lifecycle.settled(), timedOut]);
    clearTimeout(timer);
  }

  /** Sends every client its time; returns the connections by slices of time. */
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
      void connection.receiveQueue
        .settled()
        .then(() => connection.close(CloseCode.SERVICE_RESTART, 'the server is restarting'));
    }
  }
}
