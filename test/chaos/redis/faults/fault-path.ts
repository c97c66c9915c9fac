import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { pause } from '../failover-report.js';

/**
 * `swallow replies`: Redis runs the commands and its answers are lost. `black hole`: nothing gets through either way, no
 * socket ends, and what still waits when it is over goes on late, as TCP would have sent it again.
 */
export type PathMode = 'pass' | 'swallow replies' | 'black hole';

const MAX_QUEUED = 8;
const LOOK_EVERY_MS = 20;

/** Stands before Redis, and lets through what it is told to, as late and as slowly as it is told to. */
export class FaultPath {
  mode: PathMode = 'pass';
  delayMs = 0;
  /** 0 is any number. */
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

  /** Everything is as it was; connections that have lost a part of their bytes end. */
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
      // One after another, also when the path has just become faster.
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
