import { once } from 'node:events';
import { WebSocket } from 'ws';
import { FRIEND } from './protocol.js';

const EVERY_MS = 10;
const LATE_MS = 20;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** A client that means well: asks at a steady pace, whether or not the last answer has come, and takes the time. */
export class Friend {
  /** From each request to its reply. */
  readonly #spans: Span[] = [];
  /** When this process itself did not run: its timers came late. */
  readonly #stalls: Span[] = [];
  #tickedAt = 0;
  #asked = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #askedAt = new Map<number, number>();

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => this.#answered(frameOf(String(data))));
  }

  static async connect(port: number): Promise<Friend> {
    const headers = { authorization: `Bearer ${FRIEND}` };
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers });
    const friend = new Friend(socket);
    await once(socket, 'open');
    return friend;
  }

  get unanswered(): number {
    return this.#askedAt.size;
  }

  get isConnected(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** Milliseconds of each request. */
  get latencies(): number[] {
    return this.#spans.map(({ from, to }) => to - from);
  }

  /** Of those requests alone during which this process itself ran: what is left is the server's doing. */
  get undisturbed(): number[] {
    const isUndisturbed = ({ from, to }: Span) =>
      !this.#stalls.some((stall) => stall.from < to && stall.to > from);
    return this.#spans.filter(isUndisturbed).map(({ from, to }) => to - from);
  }

  /** Forgets what it has measured so far. */
  reset(): void {
    this.#spans.length = 0;
    this.#stalls.length = 0;
  }

  start(): void {
    this.#tickedAt = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      if (now - this.#tickedAt > EVERY_MS + LATE_MS) this.#stalls.push({ from: this.#tickedAt, to: now });
      this.#tickedAt = now;
      const id = this.#asked++;
      this.#askedAt.set(id, now);
      this.socket.send(JSON.stringify({ type: 'echo', id, payload: { text: `question ${id}` } }));
    }, EVERY_MS);
  }

  /** Stops asking, and waits for the last answers. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    while (this.#askedAt.size > 0 && this.isConnected) await once(this.socket, 'message');
  }

  async leave(): Promise<void> {
    this.socket.close();
    await once(this.socket, 'close');
  }

  #answered({ type, id }: { type?: string; id?: number }): void {
    const askedAt = this.#askedAt.get(id ?? -1);
    if (type !== '$reply' || askedAt === undefined) return;
    this.#spans.push({ from: askedAt, to: performance.now() });
    this.#askedAt.delete(id ?? -1);
  }
}

/** Empty for what is no JSON, which a node passes on as another has published it. */
function frameOf(text: string): { type?: string; id?: number } {
  try {
    return (JSON.parse(text) as object | null) ?? {};
  } catch {
    return {};
  }
}
