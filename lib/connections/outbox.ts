import type { Duplex } from 'node:stream';
import type { RealtimeMetrics } from '../metrics/realtime-metrics.js';
import { Frame } from './frame.js';
import type { FrameRun } from './frame-run.js';
import type { Flushable, WriteBatch } from './write-batch.js';

/** What the library needs of a `ws` WebSocket. */
export interface WebSocketLike {
  readonly readyState: number;
  /** The negotiated extensions; empty when frames travel uncompressed. */
  readonly extensions: string;
  readonly bufferedAmount: number;
  send(data: string, onSent: (error?: Error) => void): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  pause(): void;
  resume(): void;
}

/** What the outboxes of a node share. */
export interface OutboxShared {
  readonly batch: WriteBatch;
  readonly metrics: RealtimeMetrics;
  /** Above this many waiting bytes volatile messages are dropped. */
  readonly highWaterMarkBytes: number;
  /** Above this many waiting bytes the client counts as too slow. */
  readonly maxQueueBytes: number;
}

/** `sent`: written or waiting in order. `dropped`: volatile, and the client is behind. `overflow`: too far behind. */
export type WriteOutcome = 'sent' | 'dropped' | 'overflow';

// A turn that writes more than this to one socket hands it to the kernel at once, so that a burst to a fast client
// is not mistaken for a slow one.
const FLUSH_BYTES = 65_536;

// A source that always has more must let others have their turn after so much.
const TURN_BYTES = 16_384;

// RFC 6455 §5.5.2: final, opcode 9, no payload.
const PING = Buffer.from([0x89, 0x00]);

/** The way out of one connection: in order, gathered per turn of the event loop, bounded in bytes. */
export class Outbox implements Flushable {
  readonly #compresses: boolean;
  /** What this turn has brought so far. */
  #pending: FrameRun | undefined;
  #caughtUp: Promise<void> | undefined;
  #onCaughtUp: (() => void) | undefined;

  constructor(
    private readonly ws: WebSocketLike,
    private readonly socket: Duplex,
    private readonly shared: OutboxShared,
  ) {
    // Fixed by the handshake; `ws` puts the text together anew each time it is asked.
    this.#compresses = ws.extensions !== '';
    // The answer to the upgrade is held back, to leave with what this turn says.
    if (socket.writableCorked > 0) shared.batch.add(this);
  }

  /** Bytes that wait for this client. */
  get queuedBytes(): number {
    if (this.#compresses) return this.ws.bufferedAmount;
    return this.socket.writableLength + (this.#pending?.length ?? 0);
  }

  write(frame: Frame, volatile: boolean): WriteOutcome {
    if (volatile && this.queuedBytes > this.shared.highWaterMarkBytes) {
      this.shared.metrics.messagesDropped.add();
      return 'dropped';
    }
    if (this.#compresses) this.ws.send(frame.text, this.#onSent);
    else this.#append(frame);
    return this.#outcome();
  }

  /** As `write`, for a text that goes to this client alone. */
  writeText(text: string): WriteOutcome {
    return this.write(new Frame(text), false);
  }

  /** A protocol ping; a control frame may go between any two messages, compressed ones too. */
  ping(): void {
    this.socket.write(PING);
  }

  /** The answer to a client's ping, at most 125 bytes (RFC 6455 §5.5.3). */
  pong(data: Buffer): WriteOutcome {
    this.socket.write(Buffer.concat([Buffer.from([0x8a, data.length]), data]));
    return this.#outcome();
  }

  /** Hands what this turn has brought to the socket, in order; what comes next waits for the end of the turn again. */
  flush(): void {
    const { socket } = this;
    const pending = this.#pending;
    if (pending !== undefined) {
      this.#pending = undefined;
      // Nothing may follow a close frame; whoever closes flushes first.
      if (this.ws.readyState === 1) pending.writeTo(socket);
    }
    if (socket.writableCorked > 0) socket.uncork();
  }

  /** Resolves when the client has caught up, or is gone. */
  async drained(): Promise<void> {
    if (this.#pending !== undefined && this.#pending.length > TURN_BYTES) {
      this.flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (!this.#isBehind || this.socket.destroyed) return;
    // One wait for all who ask: each stream of the connection does.
    await (this.#caughtUp ??= this.#catchUp());
  }

  // What waits to be compressed is in the queue of `ws`, which the socket knows nothing of.
  get #isBehind(): boolean {
    return this.#compresses ? this.ws.bufferedAmount > TURN_BYTES : this.socket.writableNeedDrain;
  }

  #catchUp(): Promise<void> {
    const { socket } = this;
    return new Promise((resolve) => {
      const done = () => {
        socket.off('drain', this.#onSent).off('close', done);
        this.#caughtUp = undefined;
        this.#onCaughtUp = undefined;
        resolve();
      };
      this.#onCaughtUp = done;
      socket.on('drain', this.#onSent).on('close', done);
    });
  }

  // A failed send closes the socket, and `close` is where its owner learns of it.
  readonly #onSent = (): void => {
    if (this.#onCaughtUp !== undefined && !this.#isBehind) this.#onCaughtUp();
  };

  #append(frame: Frame): void {
    const { batch } = this.shared;
    if (this.#pending === undefined) {
      this.#pending = batch.begin(frame);
      batch.add(this);
    } else {
      this.#pending = this.#pending.and(frame);
    }
    if (this.#pending.length > FLUSH_BYTES) this.flush();
  }

  #outcome(): WriteOutcome {
    const { metrics, maxQueueBytes } = this.shared;
    metrics.messagesSent.add();
    if (this.queuedBytes <= maxQueueBytes) return 'sent';
    metrics.slowConsumers.add();
    return 'overflow';
  }
}
