import { once } from 'node:events';
import type { Hello } from 'nestjs-realtime';
import { WebSocket } from 'ws';
import { Presence } from './presence.js';

/** What a connection reports to the rig. */
export interface CrowdEvents {
  received(connection: CrowdConnection, n: number): void;
  /** Closed by the server or the network. */
  closed(connection: CrowdConnection, code: number): void;
}

interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly payload: unknown;
}

/** One WebSocket of a user, with its rooms as the rig knows them; replies to the server's requests. */
export class CrowdConnection {
  id = '';
  sessionId = '';
  readonly presence = new Presence('changing');
  readonly rooms = new Map<string, Presence>();
  /** Messages it is entitled to and has not received yet. */
  readonly owed = new Set<number>();
  /** The last number received, by sender and channel. */
  readonly last = new Map<string, number>();
  /** Closed by the rig, or by the server at the rig's request. */
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

  /** Resolves with the server's reply. */
  async change(type: 'join' | 'leave', room: string): Promise<void> {
    const { type: answer } = await this.#ask(type, { room });
    if (answer !== '$reply') throw new Error(`${type} of ${room} was refused.`);
  }

  /** Resumes a session of this user. */
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
