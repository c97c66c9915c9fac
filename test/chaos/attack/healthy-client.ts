import { once } from 'node:events';
import { WebSocket } from 'ws';
import { HEALTHY_TOKEN } from './protocol.js';

const EVERY_MS = 10;
const LATE_MS = 20;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** A well-behaved client: sends requests at a steady rate, whether or not the last reply has come, and measures latency. */
export class HealthyClient {
  /** From each request to its reply. */
  readonly #spans: Span[] = [];
  /** When this process itself did not run, as seen by its late timers. */
  readonly #stalls: Span[] = [];
  #tickedAt = 0;
  #requested = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #askedAt = new Map<number, number>();

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => this.#answered(frameOf(String(data))));
  }

  static async connect(port: number): Promise<HealthyClient> {
    const headers = { authorization: `Bearer ${HEALTHY_TOKEN}` };
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers });
    const healthy = new HealthyClient(socket);
    await once(socket, 'open');
    return healthy;
  }

  get unanswered(): number {
    return this.#askedAt.size;
  }

  get isConnected(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** The latency of each request in milliseconds. */
  get latencies(): number[] {
    return this.#spans.map(({ from, to }) => to - from);
  }

  /** The latencies of requests during which this process was not held up, so that they measure the server. */
  get undisturbed(): number[] {
    const isUndisturbed = ({ from, to }: Span) =>
      !this.#stalls.some((stall) => stall.from < to && stall.to > from);
    return this.#spans.filter(isUndisturbed).map(({ from, to }) => to - from);
  }

  /** Discards the measurements so far. */
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
      const id = this.#requested++;
      this.#askedAt.set(id, now);
      this.socket.send(JSON.stringify({ type: 'echo', id, payload: { text: `text ${id}` } }));
    }, EVERY_MS);
  }

  /** Stops sending requests, and waits for the last replies. */
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

/** Empty for invalid JSON, which a node forwards as another node has published it. */
function frameOf(text: string): { type?: string; id?: number } {
  try {
    return (JSON.parse(text) as object | null) ?? {};
  } catch {
    return {};
  }
}
