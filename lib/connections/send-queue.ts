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

/** Told of a client that reads too slowly. */
export interface SendQueueObserver {
  /** A volatile message gave way. */
  dropped(ws: WebSocketLike): void;
  /** More waits than may. */
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

// A turn that writes more than this to one socket hands it to the kernel at once, so that a burst to a fast client
// is not mistaken for a slow one.
const FLUSH_BYTES = 65_536;

// A source that always has more must let others have their turn after so much.
const TURN_BYTES = 16_384;

// RFC 6455 §5.5.2: final, opcode 9, no payload.
const PING = Buffer.from([0x89, 0x00]);

/**
 * The way out of one connection: in order, gathered per turn of the event loop, bounded in bytes. Once a client is behind,
 * volatile frames and all that follows them wait here and not in the socket, where nothing can be taken back.
 */
export class SendQueue implements Flushable {
  readonly #compresses: boolean;
  readonly #onSent: () => void;
  /** What this turn has brought so far. */
  #pending: FrameBatch | undefined;
  #waiting: WaitingFrames | undefined;
  #onDrain: (() => void) | undefined;
  /** Shared by all that wait for `drained`, so that the socket gets one listener. */
  #progress: Promise<void> | undefined;
  #onProgress: (() => void) | undefined;

  constructor(
    private readonly ws: WebSocketLike,
    private readonly socket: Duplex,
    private readonly shared: SendQueueShared,
  ) {
    // Fixed by the handshake; `ws` puts the text together anew each time it is asked.
    this.#compresses = ws.extensions !== '';
    this.#onSent = this.#compresses ? () => this.#sent() : nothing;
    // The answer to the upgrade is held back, to leave with what this turn says.
    if (socket.writableCorked > 0) shared.batch.add(this);
  }

  /** Bytes that wait for this client. */
  get queuedBytes(): number {
    return this.#handed() + (this.#waiting?.bytes ?? 0);
  }

  /** The largest message that can be sent. */
  get maxBytes(): number {
    return this.shared.maxQueueBytes;
  }

  write(frame: Frame, volatile: boolean): WriteOutcome {
    if (this.#waiting !== undefined || (volatile && this.#isBehind)) return this.#wait(frame, volatile);
    this.#put(frame);
    return this.#handed() <= this.shared.maxQueueBytes ? 'sent' : this.#outcome();
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
      // Nothing may follow a close frame; whoever closes hands over everything first.
      if (this.ws.readyState === 1) pending.writeTo(socket);
    }
    if (socket.writableCorked > 0) socket.uncork();
    // The socket says `drain` only when it had more than it likes.
    if (this.#waiting !== undefined && !socket.writableNeedDrain) this.#release();
  }

  /** Hands over everything, what waits for the client to catch up included: a close frame comes next. */
  finish(): void {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#stopWaiting();
      for (let frame = waiting.shift(); frame !== undefined; frame = waiting.shift()) this.#put(frame);
    }
    this.flush();
  }

  /** The client is too slow. */
  overflow(): void {
    this.shared.observer.overflowed(this.ws);
  }

  /** Resolves when the client has caught up, or is gone. */
  async drained(): Promise<void> {
    const { socket } = this;
    if (this.#pending !== undefined && this.#pending.length > TURN_BYTES) {
      this.flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
    while (!socket.destroyed && this.#hasMuch) await (this.#progress ??= this.#nextProgress());
  }

  /** What lies outside this process' reach, or will at the end of the turn. */
  #handed(): number {
    if (this.#compresses) return this.ws.bufferedAmount;
    return this.socket.writableLength + (this.#pending?.length ?? 0);
  }

  // Below its own mark a socket does not say when it is empty.
  get #isBehind(): boolean {
    return this.#handed() > Math.max(this.shared.highWaterMarkBytes, this.socket.writableHighWaterMark);
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

  /** The socket has room again: what waits follows, as far as it goes. */
  #release(): void {
    const waiting = this.#waiting;
    while (waiting !== undefined && this.#waiting === waiting && !this.#isBehind) {
      const frame = waiting.shift();
      if (waiting.isEmpty) this.#stopWaiting();
      if (frame !== undefined) this.#put(frame);
    }
  }

  // A failed send closes the socket, and `close` is where its owner learns of it.
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
