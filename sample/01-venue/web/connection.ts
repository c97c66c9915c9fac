import type { ClientPayload, ClientReply, ClientType } from 'nestjs-realtime';
import type { venue, VenueEvent } from '../src/contract.js';
import { type Issue, Refusal } from './refusal.js';

export type ConnectionState =
  | { readonly name: 'connecting' }
  | { readonly name: 'live'; readonly node: string }
  | { readonly name: 'reconnecting'; readonly at: number }
  | { readonly name: 'signed out'; readonly why: string };

interface ConnectionOptions {
  /** Asked before every attempt, so that a token that has expired is no reason to stay away. */
  token(): Promise<string>;
  /** Awaited before the state becomes `live`. */
  onHello(): Promise<void>;
  onMessage(event: VenueEvent): void;
  onState(state: ConnectionState): void;
}

type ServerFrame =
  | { type: '$hello'; payload: Hello }
  | { type: '$reply'; id: number; payload: unknown }
  | { type: '$error'; id?: number; payload: { code: string; message: string; issues?: Issue[] } }
  | { type: '$goaway' | 'pong' }
  | VenueEvent;

interface Hello {
  /** Begins with the name of the node that serves this window, and a dot. */
  readonly connectionId: string;
  readonly heartbeat: Heartbeat | null;
}

interface Heartbeat {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

interface Waiting {
  resolve(reply: never): void;
  reject(error: unknown): void;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 10_000;
const PATIENCE_MS = 8_000;

/** One WebSocket to the house that comes back by itself, with requests and their replies on top. */
export class VenueConnection {
  #socket: WebSocket | undefined;
  #attempts = 0;
  #comeBack: number | undefined;
  #heartbeat: number | undefined;
  #silence: number | undefined;
  #lastId = 0;
  readonly #waiting = new Map<number, Waiting>();

  constructor(private readonly options: ConnectionOptions) {}

  async open(): Promise<void> {
    window.clearTimeout(this.#comeBack);
    this.options.onState({ name: 'connecting' });
    try {
      this.#listen(await this.options.token());
    } catch (error) {
      if (error instanceof Refusal) this.options.onState({ name: 'signed out', why: error.message });
      else this.#retry();
    }
  }

  request<Type extends ClientType<typeof venue>>(
    type: Type,
    payload: ClientPayload<typeof venue, Type>,
  ): Promise<ClientReply<typeof venue, Type>> {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Refusal('OFFLINE', 'Not connected right now: nothing was changed.'));
    }
    const id = ++this.#lastId;
    const reply = new Promise<ClientReply<typeof venue, Type>>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      window.setTimeout(() => this.#giveUp(id), PATIENCE_MS);
    });
    socket.send(JSON.stringify({ type, payload, id }));
    return reply;
  }

  #listen(token: string): void {
    const socket = (this.#socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws`));
    socket.onopen = () => socket.send(JSON.stringify({ type: '$auth', payload: { token } }));
    socket.onmessage = ({ data }) => this.#receive(socket, JSON.parse(data as string) as ServerFrame);
    socket.onclose = ({ code, reason }) => this.#lose(socket, code, reason);
    this.#expectWord(socket, PATIENCE_MS);
  }

  #receive(socket: WebSocket, frame: ServerFrame): void {
    window.clearTimeout(this.#silence);
    switch (frame.type) {
      case '$hello':
        return void this.#welcome(socket, frame.payload);
      case '$reply':
        return this.#take(frame.id)?.resolve(frame.payload as never);
      case '$error': {
        const { code, message, issues } = frame.payload;
        return this.#take(frame.id)?.reject(new Refusal(code, message, issues));
      }
      case '$goaway': // it closes when it is this window's turn to come back, and works until then
      case 'pong':
        return;
      default:
        this.options.onMessage(frame);
    }
  }

  async #welcome(socket: WebSocket, { connectionId, heartbeat }: Hello): Promise<void> {
    if (heartbeat) {
      this.#heartbeat = window.setInterval(() => this.#ping(socket, heartbeat), heartbeat.intervalMs);
    }
    try {
      await this.options.onHello();
    } catch {
      return this.#lose(socket, 1006, '');
    }
    if (socket !== this.#socket) return;
    this.#attempts = 0;
    this.options.onState({ name: 'live', node: connectionId.split('.', 1).join() });
  }

  // A network that is gone says nothing; without pings the page would claim to be live for minutes.
  #ping(socket: WebSocket, { timeoutMs }: Heartbeat): void {
    socket.send(JSON.stringify({ type: 'ping' }));
    this.#expectWord(socket, timeoutMs);
  }

  #expectWord(socket: WebSocket, withinMs: number): void {
    window.clearTimeout(this.#silence);
    this.#silence = window.setTimeout(() => this.#lose(socket, 1006, ''), withinMs);
  }

  #lose(socket: WebSocket, code: number, reason: string): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    socket.close();
    window.clearInterval(this.#heartbeat);
    window.clearTimeout(this.#silence);
    const lost = new Refusal('DISCONNECTED', 'The connection broke before the answer came. Check the floor.');
    for (const id of this.#waiting.keys()) this.#take(id)?.reject(lost);
    if (mayComeBack(code)) return this.#retry();
    this.options.onState({ name: 'signed out', why: reason || `The house ended this session (${code}).` });
  }

  // Full jitter: a hundred windows that lost the same server do not come back in the same moment.
  #retry(): void {
    const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#attempts++);
    const delay = Math.random() * ceiling;
    this.options.onState({ name: 'reconnecting', at: Date.now() + delay });
    this.#comeBack = window.setTimeout(() => void this.open(), delay);
  }

  #take(id: number | undefined): Waiting | undefined {
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (waiting) this.#waiting.delete(id!);
    return waiting;
  }

  #giveUp(id: number): void {
    const late = new Refusal('TIMEOUT', 'No answer came in time. Check the floor before trying again.');
    this.#take(id)?.reject(late);
  }
}

// The protocol's ranges: 4500–4999 and these few say that coming back would change nothing.
function mayComeBack(code: number): boolean {
  return code < 4500 && ![1000, 1002, 1003, 1007, 1008, 1009].includes(code);
}
