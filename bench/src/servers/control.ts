import { createServer, type AddressInfo } from 'node:net';
import { serveRequests } from '../child-requests.js';
import { statusChange, type StatusChange } from '../venue.js';

/** The start options of an entrant. */
export interface ServerOptions {
  readonly redisPort?: number;
  readonly adapter?: 'classic' | 'sharded';
  /** Broadcasts without `ws`: one `socket.write` of prepared bytes per receiver. */
  readonly isBare?: boolean;
}

/** The operations of an entrant's server. */
export interface EntrantServer {
  readonly port: number;
  broadcast(message: StatusChange): void;
  sendToRoom?(room: string, message: StatusChange): void;
  sendToUser?(userId: string, message: StatusChange): void;
  /** Adds every connection to `rooms` more rooms. */
  joinAll?(rooms: number): unknown;
}

/** The messages of one tick. */
export interface Tick {
  readonly kind: 'broadcast' | 'room' | 'users';
  /** Messages in one turn of the event loop. */
  readonly messages: number;
  readonly users?: number;
  readonly room?: string;
  readonly padding?: number;
}

/**
 * Runs an entrant's server. The load generator triggers each tick with one byte over a separate TCP socket, so that the
 * server never outruns its receivers; the bench reads its CPU time and memory.
 */
export async function serve(start: (options: ServerOptions) => Promise<EntrantServer>): Promise<void> {
  const entrant = await start(JSON.parse(process.argv[2] ?? '{}') as ServerOptions);
  let tick: Tick = { kind: 'broadcast', messages: 1 };
  let padding = '';
  let nextUser = 0;

  function run(): void {
    for (let i = 0; i < tick.messages; i++) {
      const message = statusChange(padding);
      if (tick.kind === 'broadcast') entrant.broadcast(message);
      else if (tick.kind === 'room') entrant.sendToRoom?.(tick.room as string, message);
      else entrant.sendToUser?.(`user-${nextUser++ % (tick.users as number)}`, message);
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

  serveRequests({
    ports: () => ({ port: entrant.port, driver: (driver.address() as AddressInfo).port }),
    cpu: () => process.cpuUsage(),
    tick: (given: Tick) => {
      tick = given;
      padding = 'x'.repeat(given.padding ?? 0);
    },
    joinAll: (rooms: number) => entrant.joinAll?.(rooms),
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
