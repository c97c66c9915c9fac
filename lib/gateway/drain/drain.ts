import type { LoggerService } from '@nestjs/common';
import { CloseCode } from '../../protocol/close-codes.js';
import { encodeMessage } from '../../protocol/codec.js';
import type { Admission } from '../admission/admission.js';
import type { ConnectionLifecycle } from '../lifecycle/connection-lifecycle.js';
import { drainSchedule, SLICE_MS, type DrainSchedule, type DrainSettings } from './drain-schedule.js';
import type { GatewayConnection } from '../lifecycle/gateway-connection.js';
import type { OpenSockets } from '../lifecycle/open-sockets.js';

// What the hooks of connections that were cut at the deadline get.
const LAST_HOOKS_MS = 1_000;

/**
 * Empties the node before the process ends. New clients are sent elsewhere; each connection is told when to leave,
 * spread over a window that the other nodes can take, and is closed with 1012 shortly after its time, once its
 * handlers have finished. What is left at the deadline is cut.
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

  /** What is left until the deadline. */
  get remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  /** Resolves when no connection is left and every `handleDisconnect` has ended, or has had its time. */
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
      void connection.receiveQueue
        .settled()
        .then(() => connection.close(CloseCode.SERVICE_RESTART, 'the server restarts'));
    }
  }
}
