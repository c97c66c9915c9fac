import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { pause } from '../../chaos/redis/failover-report.js';

/**
 * `swallow replies`: Redis runs the commands and its replies are lost. `black hole`: nothing is forwarded in either
 * direction, no socket ends, and waiting bytes are forwarded at the end, as TCP retransmission would do.
 */
export type PathMode = 'pass' | 'swallow replies' | 'black hole';

const MAX_QUEUED = 8;
const LOOK_EVERY_MS = 20;

/** A TCP proxy before Redis with configurable loss, delay and bandwidth. */
export class FaultPath {
  mode: PathMode = 'pass';
  delayMs = 0;
  /** 0 means unlimited. */
  replyBytesPerSecond = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(port: number) {
    this.#server = createServer((socket) => {
      const redis = connect(port, '127.0.0.1');
      for (const end of [socket, redis]) {
        this.#sockets.add(end);
        end.setNoDelay().on('error', () => {});
      }
      this.#carry(socket, redis, false);
      this.#carry(redis, socket, true);
    });
  }

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Removes the fault; connections that have lost bytes are closed. */
  restore(): void {
    const hasLostBytes = this.mode === 'swallow replies';
    this.mode = 'pass';
    this.delayMs = 0;
    this.replyBytesPerSecond = 0;
    if (hasLostBytes) this.reset();
  }

  /** Ends every connection with RST. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): void {
    this.reset();
    this.#server.close();
  }

  #carry(from: Socket, to: Socket, isReply: boolean): void {
    let queued = 0;
    let freeAt = 0;
    let last = Promise.resolve();
    from.on('data', (bytes: Buffer) => {
      const now = performance.now();
      const takesMs =
        isReply && this.replyBytesPerSecond > 0 ? (bytes.length / this.replyBytesPerSecond) * 1_000 : 0;
      freeAt = Math.max(freeAt, now) + takesMs;
      const dueAt = Math.max(freeAt, now + this.delayMs);
      if (++queued >= MAX_QUEUED) from.pause();
      // In order, even when the delay has just become shorter.
      last = last.then(async () => {
        while (this.mode === 'black hole' && !to.destroyed) await pause(LOOK_EVERY_MS);
        const waitMs = dueAt - performance.now();
        if (waitMs >= 1) await pause(waitMs);
        if (!(isReply && this.mode === 'swallow replies')) to.write(bytes);
        if (--queued < MAX_QUEUED) from.resume();
      });
    });
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
