import { createServer, type AddressInfo } from 'node:net';
import { answer } from '../questions.js';
import { statusChange, type StatusChange } from '../venue.js';

/** What a contender is started with. */
export interface ServerOptions {
  readonly redisPort?: number;
  readonly adapter?: 'classic' | 'sharded';
  /** Broadcasts past `ws`: one `socket.write` of ready bytes for each receiver. */
  readonly isBare?: boolean;
}

/** What a contender's server can do. */
export interface Contender {
  readonly port: number;
  broadcast(message: StatusChange): void;
  sendToRoom?(room: string, message: StatusChange): void;
  sendToUser?(userId: string, message: StatusChange): void;
  /** Puts everyone connected into `rooms` rooms more. */
  joinAll?(rooms: number): unknown;
}

/** What one tick is. */
export interface Tick {
  readonly kind: 'broadcast' | 'room' | 'users';
  /** Messages in one turn of the event loop. */
  readonly messages: number;
  readonly users?: number;
  readonly room?: string;
  readonly padding?: number;
}

/**
 * Runs a contender under the bench. The load generator drives it over a TCP socket of its own, one byte for a tick, so
 * that a server never outruns its readers; the bench asks it for its own CPU time and memory.
 */
export async function serve(start: (options: ServerOptions) => Promise<Contender>): Promise<void> {
  const contender = await start(JSON.parse(process.argv[2] ?? '{}') as ServerOptions);
  let tick: Tick = { kind: 'broadcast', messages: 1 };
  let padding = '';
  let nextUser = 0;

  function run(): void {
    for (let i = 0; i < tick.messages; i++) {
      const message = statusChange(padding);
      if (tick.kind === 'broadcast') contender.broadcast(message);
      else if (tick.kind === 'room') contender.sendToRoom?.(tick.room as string, message);
      else contender.sendToUser?.(`user-${nextUser++ % (tick.users as number)}`, message);
    }
  }

  const driver = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      for (let i = 0; i < bytes.length; i++) run();
    });
  });
  await new Promise<void>((resolve) => driver.listen(0, '127.0.0.1', resolve));

  answer({
    ports: () => ({ port: contender.port, driver: (driver.address() as AddressInfo).port }),
    cpu: () => process.cpuUsage(),
    tick: (given: Tick) => {
      tick = given;
      padding = 'x'.repeat(given.padding ?? 0);
    },
    joinAll: (rooms: number) => contender.joinAll?.(rooms),
    memory: async () => {
      for (let i = 0; i < 3; i++) {
        globalThis.gc?.();
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      return process.memoryUsage();
    },
  });
  process.send?.({ id: 0 });
}
