import { once } from 'node:events';
import type { Hello } from 'nestjs-realtime';
import { WebSocket } from 'ws';
import { Presence } from './presence.js';

/** What a connection tells the rig. */
export interface CrowdEvents {
  received(connection: CrowdConnection, n: number): void;
  /** The server, or the network, ended it. */
  closed(connection: CrowdConnection, code: number): void;
}

interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly payload: unknown;
}

/** One WebSocket of a user, with what is known of its rooms; answers what the server asks. */
export class CrowdConnection {
  id = '';
  sessionId = '';
  readonly presence = new Presence('changing');
  readonly rooms = new Map<string, Presence>();
  /** What it should have got and has not yet. */
  readonly owed = new Set<number>();
  /** By sender and channel, the last number that came. */
  readonly last = new Map<string, number>();
  /** The rig ended it, or had the server end it. */
  isLeaving = false;
  readonly #ws: WebSocket;
  readonly #waiting = new Map<string, (frame: Frame) => void>();
  readonly #hello: Promise<void>;
  #count = 0;

  constructor(
    port: number,
    readonly node: number,
    readonly userId: string,
    private readonly events: CrowdEvents,
  ) {
    this.#ws = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
      perMessageDeflate: false,
      headers: { authorization: `Bearer ${userId}` },
    });
    this.#hello = new Promise((resolve, reject) => {
      this.#waiting.set('hello', ({ payload }) => {
        const { connectionId, sessionId } = payload as Hello;
        this.id = connectionId;
        this.sessionId = sessionId;
        this.presence.become('in');
        resolve();
      });
      this.#ws.on('error', reject);
    });
    this.#ws.on('message', (data) => this.#receive(JSON.parse(String(data)) as Frame));
    this.#ws.on('close', (code) => {
      this.presence.become('out');
      events.closed(this, code);
    });
  }

  get isOpen(): boolean {
    return this.#ws.readyState === WebSocket.OPEN;
  }

  get isClosed(): boolean {
    return this.#ws.readyState === WebSocket.CLOSED;
  }

  /** Resolves at `$hello`. */
  opened(): Promise<void> {
    return this.#hello;
  }

  /** Resolves when the server has answered. */
  async change(type: 'join' | 'leave', room: string): Promise<void> {
    const { type: answer } = await this.#ask(type, { room });
    if (answer !== '$reply') throw new Error(`${type} of ${room} was refused.`);
  }

  /** Goes on with a session of this user. */
  async resume(sessionId: string): Promise<void> {
    this.presence.become('changing');
    await this.#ask('$resume', { sessionId, positions: {} });
    this.sessionId = sessionId;
    this.presence.become('in');
  }

  async leave(how: 'close' | 'terminate'): Promise<void> {
    this.isLeaving = true;
    this.presence.become('changing');
    if (this.isClosed) return;
    const closed = once(this.#ws, 'close');
    if (how === 'close') this.#ws.close(1000);
    else this.#ws.terminate();
    await closed;
  }

  #ask(type: string, payload: unknown): Promise<Frame> {
    const id = `c${++this.#count}`;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#ws.send(JSON.stringify({ type, id, payload }));
    });
  }

  #receive(frame: Frame): void {
    const { type, id = '', payload } = frame;
    if (type === 'note') this.events.received(this, (payload as { n: number }).n);
    else if (type === '$request') {
      this.events.received(this, (payload as { payload: { n: number } }).payload.n);
      this.#ws.send(JSON.stringify({ type: '$reply', id, payload: { by: this.id } }));
    } else {
      const key = type === '$hello' ? 'hello' : id;
      const answered = this.#waiting.get(key);
      this.#waiting.delete(key);
      answered?.(frame);
    }
  }
}
