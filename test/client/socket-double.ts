import type { WebSocketConstructor, WebSocketLike } from '../../lib/client/index.js';
import { promisesSettled } from '../rig/clock/manual-clock.js';

export interface SentFrame {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

type Handler<Event> = ((event: Event) => void) | null;

/** One socket of a client; the test acts as the server. */
export class SocketDouble implements WebSocketLike {
  readyState = 0;
  onopen: Handler<never> = null;
  onmessage: Handler<never> = null;
  onclose: Handler<never> = null;
  onerror: Handler<never> = null;
  readonly sent: SentFrame[] = [];
  /** What the client closed it with. */
  left: { code: number | undefined; reason: string | undefined } | undefined;

  constructor(
    readonly url: string,
    readonly protocols: readonly string[],
  ) {}

  send(text: string): void {
    if (this.readyState === 1) this.sent.push(JSON.parse(text) as SentFrame);
  }

  close(code?: number, reason?: string): void {
    this.readyState = 2;
    this.left = { code, reason };
  }

  open(): void {
    this.readyState = 1;
    (this.onopen as Handler<object>)?.({});
  }

  deliver(type: string, payload?: unknown, id?: string): void {
    this.deliverText(JSON.stringify({ type, payload, ...(id === undefined ? {} : { id }) }));
  }

  deliverText(data: string): void {
    (this.onmessage as Handler<{ data: string }>)?.({ data });
  }

  hello(hello: object = {}): void {
    this.deliver('$hello', { ...HELLO, ...hello });
  }

  /** Opens, and sends `$hello`. */
  accept(hello: object = {}): void {
    this.open();
    this.hello(hello);
  }

  end(code = 1006, reason = ''): void {
    this.readyState = 3;
    (this.onclose as Handler<{ code: number; reason: string }>)?.({ code, reason });
  }

  ofType(type: string): SentFrame[] {
    return this.sent.filter((frame) => frame.type === type);
  }
}

export const HELLO = {
  connectionId: 'c1',
  sessionId: 's1',
  userId: null,
  heartbeat: { intervalMs: 25_000, timeoutMs: 10_000 },
  maxPayloadBytes: 65_536,
  recovered: false,
};

/** Every socket that a client opens, in order. */
export class SocketDoubles {
  readonly all: SocketDouble[] = [];
  readonly WebSocket: WebSocketConstructor;

  constructor() {
    const { all } = this;
    this.WebSocket = class extends SocketDouble {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        all.push(this);
      }
    };
  }

  get count(): number {
    return this.all.length;
  }

  /** The newest one, once pending promises have settled. */
  async newest(): Promise<SocketDouble> {
    await promisesSettled();
    const socket = this.all.at(-1);
    if (socket === undefined) throw new Error('The client has opened no socket.');
    return socket;
  }
}
