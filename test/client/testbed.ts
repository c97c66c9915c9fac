import { RealtimeClient, type ConnectionState, type RealtimeClientOptions } from '../../lib/client/index.js';
import type { Contract } from '../../lib/contract/contract-entries.js';
import { ManualClock, promisesSettled } from '../rig/clock/manual-clock.js';
import { SocketDoubles, type SocketDouble } from './socket-double.js';

class Anything {
  [key: string]: unknown;
}
interface Entry {
  readonly payload: typeof Anything;
  readonly reply: typeof Anything;
}
/** A contract with any message. */
export type AnyTalk = Contract<Record<string, Entry>, Record<string, Entry>>;

/** A client with the clock, random numbers and sockets of the test. */
export class Testbed {
  readonly clock = new ManualClock();
  readonly sockets = new SocketDoubles();
  readonly states: ConnectionState[] = [];
  readonly client: RealtimeClient<AnyTalk>;
  /** What `random` gives. */
  chance = 0.5;

  constructor(
    options: RealtimeClientOptions = {},
    address: string | (() => string | Promise<string>) = 'ws://test/ws',
  ) {
    const { clock, sockets } = this;
    this.client = new RealtimeClient<AnyTalk>(address, {
      clock,
      WebSocket: sockets.WebSocket,
      random: () => this.chance,
      ...options,
    });
    this.client.onStateChange((state) => this.states.push(state));
  }

  get statuses(): string[] {
    return this.states.map(({ status }) => status);
  }

  /** Connects and gives back the server's end. */
  async connected(hello: object = {}): Promise<SocketDouble> {
    const connecting = this.client.connect();
    const socket = await this.sockets.newest();
    socket.accept(hello);
    await connecting;
    return socket;
  }

  /** Whether the client opens another socket within this time. */
  async opensWithin(delayMs: number): Promise<boolean> {
    const before = this.sockets.count;
    await this.clock.advance(delayMs);
    await promisesSettled();
    return this.sockets.count > before;
  }
}
