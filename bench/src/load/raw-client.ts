import { connect, type Socket } from 'node:net';
import { tokenFor } from '../venue.js';
import type { WireFormat } from './wire-format.js';
import { clientFrame, FrameReader, type FrameSink } from './frame-reader.js';

// All sockets of the process read into one buffer, since nothing is kept.
const SHARED = Buffer.allocUnsafe(262_144);
const PONG = clientFrame('', 0xa);
const ENGINE_PONG = clientFrame('3');
const END_OF_HEAD = '\r\n\r\n';

/** Called with the number of messages of one read. */
export type OnMessages = (client: RawClient, count: number) => void;

function ignore(): void {}

/** A WebSocket client with little overhead: a TCP socket, a prepared upgrade request, and a counter of frames. */
export class RawClient implements FrameSink {
  onMessages: OnMessages = ignore;
  /** Gets the text of the messages; only for a client that needs it. */
  onText: ((text: string) => void) | undefined;
  /** When its last request was sent, in milliseconds. */
  sentAt = 0;
  readonly #socket: Socket;
  readonly #reader = new FrameReader(this);
  #head: string | undefined = '';
  #messages = 0;
  #greetings: number;
  #onReady: (() => void) | undefined;
  #onFailure: ((error: Error) => void) | undefined;

  constructor(
    port: number,
    private readonly wireFormat: WireFormat,
    userId: string,
    room: string,
  ) {
    this.#greetings = wireFormat.greetings;
    const read = (length: number, buffer: Uint8Array) => {
      this.#read(buffer as Buffer, length);
      return true;
    };
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: SHARED, callback: read },
    });
    this.#socket.on('error', (error) => this.#onFailure?.(error));
    this.#socket.on('close', () => this.#onFailure?.(new Error('closed before it was ready')));
    this.#socket.write(upgrade(wireFormat.path(room), port, userId));
  }

  /** Resolves when the server has accepted, authenticated and joined it. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onReady = resolve;
      this.#onFailure = reject;
    });
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  text(bytes: Uint8Array, start: number, end: number): void {
    if (this.#greetings > 0) {
      this.#greet();
      return;
    }
    // engine.io's ping is a text frame of one digit.
    if (end - start === 1) {
      this.#socket.write(ENGINE_PONG);
      return;
    }
    this.#messages++;
    this.onText?.(Buffer.from(bytes.subarray(start, end)).toString());
  }

  ping(): void {
    this.#socket.write(PONG);
  }

  destroy(): void {
    this.#onFailure = undefined;
    this.#socket.destroy();
  }

  #greet(): void {
    const { greetings, introduction } = this.wireFormat;
    if (this.#greetings === greetings && introduction !== undefined) this.write(clientFrame(introduction));
    this.#greetings--;
    if (this.#greetings > 0) return;
    this.#onFailure = undefined;
    this.#onReady?.();
    this.#onReady = undefined;
  }

  #read(bytes: Buffer, length: number): void {
    if (this.#head === undefined) {
      this.#reader.read(bytes, length);
      const messages = this.#messages;
      this.#messages = 0;
      if (messages > 0) this.onMessages(this, messages);
      return;
    }
    this.#head += bytes.toString('latin1', 0, length);
    const end = this.#head.indexOf(END_OF_HEAD);
    if (end < 0) return;
    if (!this.#head.startsWith('HTTP/1.1 101')) this.#onFailure?.(new Error(this.#head.slice(0, 200)));
    const rest = Buffer.from(this.#head.slice(end + END_OF_HEAD.length), 'latin1');
    this.#head = undefined;
    if (rest.length > 0) this.#reader.read(rest, rest.length);
  }
}

function upgrade(path: string, port: number, userId: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Authorization: Bearer ${tokenFor(userId)}`,
    END_OF_HEAD.slice(2),
  ].join('\r\n');
}
