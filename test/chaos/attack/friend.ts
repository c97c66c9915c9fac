import { once } from 'node:events';
import { WebSocket } from 'ws';
import { FRIEND } from './protocol.js';

const EVERY_MS = 10;

/** A client that means well: asks at a steady pace, whether or not the last answer has come, and takes the time. */
export class Friend {
  /** Milliseconds from each request to its reply. */
  readonly latencies: number[] = [];
  #asked = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #askedAt = new Map<number, number>();

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => this.#answered(JSON.parse(String(data)) as { type: string; id?: number }));
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

  start(): void {
    this.#timer = setInterval(() => {
      const id = this.#asked++;
      this.#askedAt.set(id, performance.now());
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

  #answered({ type, id }: { type: string; id?: number }): void {
    const askedAt = this.#askedAt.get(id ?? -1);
    if (type !== '$reply' || askedAt === undefined) return;
    this.latencies.push(performance.now() - askedAt);
    this.#askedAt.delete(id ?? -1);
  }
}
