import type { Duplex } from 'node:stream';
import type { RealtimeMetrics } from '../metrics/realtime-metrics.js';
import { Frame } from './frame.js';
import type { FrameBatch } from './frame-batch.js';
import { WaitingFrames } from './waiting-frames.js';
import type { Flushable, FlushScheduler } from './flush-scheduler.js';

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

/** Is called when a client reads too slowly. */
export interface SendQueueObserver {
  /** A volatile message was dropped. */
  dropped(ws: WebSocketLike): void;
  /** More than `maxQueueBytes` wait. */
  overflowed(ws: WebSocketLike): void;
}

export interface SendQueueSettings {
  /** Above this many waiting bytes the oldest volatile messages are dropped. */
  readonly highWaterMarkBytes: number;
  /** Above this many waiting bytes the client counts as too slow. */
  readonly maxQueueBytes: number;
}

export const SEND_QUEUE_DEFAULTS: SendQueueSettings = {
  highWaterMarkBytes: 131_072,
  maxQueueBytes: 1_048_576,
};

/** What the send queues of a node share. */
export interface SendQueueShared extends SendQueueSettings {
  readonly batch: FlushScheduler;
  readonly metrics: Pick<RealtimeMetrics, 'messagesSent'>;
  readonly observer: SendQueueObserver;
}

/** `sent`: written or waiting in order. `dropped`: volatile, and the client is behind. `overflow`: too far behind. */
export type WriteOutcome = 'sent' | 'dropped' | 'overflow';

// Above this a turn's writes go to the kernel at once, so that a burst to a fast client does not make it count as slow.
const FLUSH_BYTES = 65_536;

// Yield to other connections after this many bytes.
const TURN_BYTES = 16_384;

// RFC 6455 §5.5.2: final, opcode 9, no payload.
const PING = Buffer.from([0x89, 0x00]);

/**
 * The outgoing frames of one connection: in order, flushed once per turn of the event loop, bounded in bytes. When a
 * client is behind, volatile frames and all later frames wait here, since nothing can be dropped once the socket has it.
 */
export class SendQueue implements Flushable {
  readonly #compresses: boolean;
  readonly #onSent: () => void;
  /** The frames of this turn. */
  #pending: FrameBatch | undefined;
  #waiting: WaitingFrames | undefined;
  #onDrain: (() => void) | undefined;
  /** Shared by all callers of `drained`, so that the socket gets one listener. */
  #progress: Promise<void> | undefined;
  #onProgress: (() => void) | undefined;

  constructor(
    private readonly ws: WebSocketLike,
    private readonly socket: Duplex,
    private readonly shared: SendQueueShared,
  ) {
    // Fixed by the handshake; the getter of `ws` builds the text on each call.
    this.#compresses = ws.extensions !== '';
    this.#onSent = this.#compresses ? () => this.#sent() : nothing;
    // The response to the upgrade is corked, to be written together with this turn's frames.
    if (socket.writableCorked > 0) shared.batch.add(this);
  }

  /** Bytes that wait for this client, in this queue and in its socket. */
  get queuedBytes(): number {
    return this.#socketBytes() + (this.#waiting?.bytes ?? 0);
  }

  /** The largest message that can be sent. */
  get maxBytes(): number {
    return this.shared.maxQueueBytes;
  }

  write(frame: Frame, volatile: boolean): WriteOutcome {
    if (this.#waiting !== undefined || (volatile && this.#isBehind)) return this.#wait(frame, volatile);
    this.#put(frame);
    return this.#socketBytes() <= this.shared.maxQueueBytes ? 'sent' : this.#outcome();
  }

  /** Like `write`, for a text that only this client gets. */
  writeText(text: string): WriteOutcome {
    return this.write(new Frame(text), false);
  }

  /** A protocol ping; a control frame may go between any two messages, compressed ones too. */
  ping(): void {
    this.socket.write(PING);
  }

  /** The pong for a client's ping, at most 125 bytes (RFC 6455 §5.5.3). */
  pong(data: Buffer): WriteOutcome {
    this.socket.write(Buffer.concat([Buffer.from([0x8a, data.length]), data]));
    return this.#outcome();
  }

  /** Writes this turn's frames to the socket, in order. */
  flush(): void {
    const { socket } = this;
    const pending = this.#pending;
    if (pending !== undefined) {
      this.#pending = undefined;
      // Nothing may follow a close frame; `finish` has flushed before it.
      if (this.ws.readyState === 1) pending.writeTo(socket);
    }
    if (socket.writableCorked > 0) socket.uncork();
    // A socket emits `drain` only after it was above its high-water mark.
    if (this.#waiting !== undefined && !socket.writableNeedDrain) this.#release();
  }

  /** Writes everything, waiting frames included: a close frame follows. */
  finish(): void {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#stopWaiting();
      for (let frame = waiting.shift(); frame !== undefined; frame = waiting.shift()) this.#put(frame);
    }
    this.flush();
  }

  /** Reports that the client is too slow. */
  overflow(): void {
    this.shared.observer.overflowed(this.ws);
  }

  /** Resolves when the client has caught up, or has disconnected. */
  async drained(): Promise<void> {
    const { socket } = this;
    if (this.#pending !== undefined && this.#pending.length > TURN_BYTES) {
      this.flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
    while (!socket.destroyed && this.#hasMuch) await (this.#progress ??= this.#nextProgress());
  }

  /** Bytes that the socket has, or gets at the end of the turn. */
  #socketBytes(): number {
    if (this.#compresses) return this.ws.bufferedAmount;
    return this.socket.writableLength + (this.#pending?.length ?? 0);
  }

  // A socket that never was above its own high-water mark does not emit `drain`.
  get #isBehind(): boolean {
    return this.#socketBytes() > Math.max(this.shared.highWaterMarkBytes, this.socket.writableHighWaterMark);
  }

  get #hasMuch(): boolean {
    if (this.#waiting !== undefined) return true;
    return this.#compresses ? this.ws.bufferedAmount > TURN_BYTES : this.socket.writableNeedDrain;
  }

  #put(frame: Frame): void {
    this.shared.metrics.messagesSent.add();
    if (this.#compresses) this.ws.send(frame.text, this.#onSent);
    else this.#append(frame);
  }

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

  #wait(frame: Frame, volatile: boolean): WriteOutcome {
    const { highWaterMarkBytes, maxQueueBytes, observer } = this.shared;
    const waiting = (this.#waiting ??= this.#startWaiting());
    waiting.push(frame, volatile);
    let outcome: WriteOutcome = 'sent';
    while (waiting.volatileBytes > highWaterMarkBytes || this.queuedBytes > maxQueueBytes) {
      const dropped = waiting.dropOldest();
      if (dropped === undefined) break;
      observer.dropped(this.ws);
      if (dropped === frame && volatile) outcome = 'dropped';
    }
    if (waiting.isEmpty) this.#stopWaiting();
    return outcome === 'sent' ? this.#outcome() : outcome;
  }

  #startWaiting(): WaitingFrames {
    if (!this.#compresses) this.socket.on('drain', (this.#onDrain ??= () => this.#release()));
    return new WaitingFrames();
  }

  #stopWaiting(): void {
    this.#waiting = undefined;
    if (this.#onDrain !== undefined) this.socket.off('drain', this.#onDrain);
  }

  /** Writes waiting frames while the socket has room. */
  #release(): void {
    const waiting = this.#waiting;
    while (waiting !== undefined && this.#waiting === waiting && !this.#isBehind) {
      const frame = waiting.shift();
      if (waiting.isEmpty) this.#stopWaiting();
      if (frame !== undefined) this.#put(frame);
    }
  }

  // A failed send closes the socket, which is handled by its `close` listener.
  #sent(): void {
    if (this.#waiting !== undefined) this.#release();
    this.#onProgress?.();
  }

  #nextProgress(): Promise<void> {
    const { socket } = this;
    return new Promise((resolve) => {
      const done = () => {
        socket.off('drain', done).off('close', done);
        this.#progress = undefined;
        this.#onProgress = undefined;
        resolve();
      };
      if (this.#compresses) this.#onProgress = done;
      else socket.on('drain', done);
      socket.on('close', done);
    });
  }

  #outcome(): WriteOutcome {
    if (this.queuedBytes <= this.shared.maxQueueBytes) return 'sent';
    this.overflow();
    return 'overflow';
  }
}

function nothing(): void {}
