import { fork, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Measured, Ticks } from './load/load.js';
import type { WireFormatName } from './load/wire-format.js';
import { ChildRequests } from './child-requests.js';
import type { ServerOptions, Tick } from './servers/control.js';

/** A server implementation to measure. */
export interface Entrant {
  readonly name: string;
  readonly server: string;
  readonly wireFormat: WireFormatName;
  readonly options?: ServerOptions;
  /** The build directory of its server, for another checkout. @default this bench */
  readonly build?: string;
}

export const OURS: Entrant = { name: 'nestjs-realtime', server: 'nestjs-realtime', wireFormat: 'json' };
export const BARE_WS: Entrant = { name: 'bare ws', server: 'bare-ws', wireFormat: 'json' };
export const BARE_WRITE: Entrant = { ...BARE_WS, name: 'socket.write alone', options: { isBare: true } };
export const NEST_WS: Entrant = { name: 'Nest ws', server: 'nest-ws', wireFormat: 'nest' };
export const NEST_IO: Entrant = { name: 'Nest socket.io', server: 'nest-socket-io', wireFormat: 'socket.io' };
export const UWS: Entrant = { name: 'uWebSockets.js', server: 'uws', wireFormat: 'json' };

/** One measurement: the messages, and the CPU time of the servers. */
export interface Figures extends Measured {
  /** Per second of the servers' CPU time. */
  readonly perCpuSecond: number;
  readonly perSecond: number;
}

interface Ports {
  readonly port: number;
  readonly driver: number;
}

const started = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

/** The directory for the `.cpuprofile` files of `--profile`. */
export const profiling: { directory: string | undefined; count: number } = { directory: undefined, count: 0 };

/** The servers of an entrant and its load generator. */
export class TestSetup {
  readonly #children: ChildProcess[] = [];
  readonly #servers: ChildRequests[] = [];
  #load!: ChildRequests;

  private constructor(readonly entrant: Entrant) {}

  /** Starts `nodes` servers. The first one sends; clients connect to the last one or to all. */
  static async start(
    entrant: Entrant,
    nodes = 1,
    options: ServerOptions = {},
    connectTo: 'last' | 'all' = 'last',
  ): Promise<TestSetup> {
    const setup = new TestSetup(entrant);
    const ports: Ports[] = [];
    for (let i = 0; i < nodes; i++) {
      const server = await setup.#fork(
        `servers/${entrant.server}.js`,
        { ...options, ...entrant.options },
        true,
      );
      setup.#servers.push(server);
      ports.push(await server.request<Ports>('ports'));
    }
    const driven = ports[0] as Ports;
    const open = (connectTo === 'all' ? ports : ports.slice(-1)).map(({ port }) => port);
    setup.#load = await setup.#fork('load/load.js', {}, false);
    await setup.#load.request('target', {
      ports: open,
      driver: driven.driver,
      wireFormat: entrant.wireFormat,
    });
    return setup;
  }

  async connect(count: number, rooms?: number): Promise<Figures> {
    return this.#figures(() => this.#load.request<Measured>('connect', { count, rooms }));
  }

  disconnect(): Promise<void> {
    return this.#load.request('disconnect');
  }

  check(): Promise<void> {
    return this.#load.request('check');
  }

  async tick(tick: Tick): Promise<void> {
    await this.#servers[0]?.request('tick', tick);
  }

  async joinAll(rooms: number): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.request('joinAll', rooms)));
  }

  broadcast(options: Ticks): Promise<Figures> {
    return this.#figures(() => this.#load.request<Measured>('broadcast', options));
  }

  requests(options: { seconds: number; inFlight: number }): Promise<Figures> {
    return this.#figures(() => this.#load.request<Measured>('requests', options));
  }

  /** Resident bytes of the first server after garbage collection. */
  async memory(): Promise<{ rss: number; heapUsed: number; external: number }> {
    return (this.#servers[0] as ChildRequests).request('memory');
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map((child) => ended(child)));
  }

  async #figures(work: () => Promise<Measured>): Promise<Figures> {
    const before = await this.#cpu();
    const measured = await work();
    const cpuSeconds = (await this.#cpu()) - before;
    return {
      ...measured,
      perCpuSecond: measured.count / cpuSeconds,
      perSecond: measured.count / measured.seconds,
    };
  }

  /** Seconds of user and system CPU time of all servers. */
  async #cpu(): Promise<number> {
    const usages = await Promise.all(this.#servers.map((server) => server.request<NodeJS.CpuUsage>('cpu')));
    return usages.reduce((sum, { user, system }) => sum + (user + system) / 1e6, 0);
  }

  async #fork(file: string, options: object, isServer: boolean): Promise<ChildRequests> {
    const execArgv = isServer ? ['--expose-gc'] : [];
    if (isServer && profiling.directory !== undefined) {
      const name = `${this.entrant.server}-${++profiling.count}.cpuprofile`;
      execArgv.push('--cpu-prof', `--cpu-prof-dir=${profiling.directory}`, `--cpu-prof-name=${name}`);
    }
    const build = isServer ? this.entrant.build : undefined;
    const path = build === undefined ? fileURLToPath(new URL(file, import.meta.url)) : join(build, file);
    const child = fork(path, [JSON.stringify(options)], { execArgv });
    started.add(child);
    this.#children.push(child);
    if (isServer) {
      await new Promise((resolve, reject) => {
        child.once('message', resolve);
        child.once('exit', () => reject(new Error(`${file} did not start`)));
      });
    }
    return new ChildRequests(`${this.entrant.name} (${file})`, child);
  }
}

/** Node writes its profile on a clean exit, which the end of the IPC channel causes. */
function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) resolve();
    child.once('exit', () => {
      started.delete(child);
      resolve();
    });
    child.disconnect();
    setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
  });
}

/** Starts a redis-server for the bench. */
export async function startRedis(): Promise<{ port: number; stop(): void }> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'bench-redis-'));
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    directory,
  ];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  started.add(child);
  await new Promise((resolve) => setTimeout(resolve, 500));
  return {
    port,
    stop() {
      started.delete(child);
      child.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
