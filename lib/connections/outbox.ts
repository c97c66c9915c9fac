import type { Duplex } from 'node:stream';
import type { RealtimeMetrics } from '../metrics/realtime-metrics.js';
import { type Frame, framePayload } from './frame.js';
import type { WriteBatch } from './write-batch.js';

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

// RFC 6455 §5.5.2: final, opcode 9, no payload.
const PING = Buffer.from([0x89, 0x00]);

/** The way out of one connection: in order, gathered per turn of the event loop, bounded in bytes. */
export class Outbox {
  constructor(
    private readonly ws: WebSocketLike,
    private readonly socket: Duplex,
    private readonly shared: OutboxShared,
  ) {}

  /** Bytes that wait for this client. */
  get queuedBytes(): number {
    return this.ws.extensions === '' ? this.socket.writableLength : this.ws.bufferedAmount;
  }

  write(frame: Frame, volatile: boolean): WriteOutcome {
    const { metrics } = this.shared;
    if (volatile && this.queuedBytes > this.shared.highWaterMarkBytes) {
      metrics.messagesDropped.add();
      return 'dropped';
    }
    if (this.ws.extensions === '') this.#writeBytes(frame.bytes);
    else this.ws.send(frame.text, ignoreSendError);
    return this.#outcome();
  }

  /** As `write`, for a text that goes to this client alone. */
  writeText(text: string): WriteOutcome {
    if (this.ws.extensions === '') this.#writeBytes(framePayload(text));
    else this.ws.send(text, ignoreSendError);
    return this.#outcome();
  }

  /** A protocol ping; a control frame may go between any two messages, compressed ones too. */
  ping(): void {
    this.#writeBytes(PING);
  }

  /** The answer to a client's ping, at most 125 bytes (RFC 6455 §5.5.3). */
  pong(data: Buffer): WriteOutcome {
    this.#writeBytes(Buffer.concat([Buffer.from([0x8a, data.length]), data]));
    return this.#outcome();
  }

  /** Resolves when the client has caught up, or is gone. */
  drained(): Promise<void> {
    const { socket } = this;
    if (!socket.writableNeedDrain || socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    });
  }

  #writeBytes(bytes: Buffer): void {
    const { socket } = this;
    if (socket.writableCorked === 0) this.shared.batch.cork(socket);
    socket.write(bytes);
    if (socket.writableLength > FLUSH_BYTES) {
      socket.uncork();
      socket.cork();
    }
  }

  #outcome(): WriteOutcome {
    const { metrics, maxQueueBytes } = this.shared;
    metrics.messagesSent.add();
    if (this.queuedBytes <= maxQueueBytes) return 'sent';
    metrics.slowConsumers.add();
    return 'overflow';
  }
}

// A failed send closes the socket, and `close` is where its owner learns of it.
function ignoreSendError(): void {}
