import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const STANDALONE = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()];

/** A real redis-server on loopback that keeps nothing on disk. */
export class RedisServer {
  #process: ChildProcess | undefined;

  constructor(
    readonly port: number,
    private readonly flags: readonly string[] = [],
    private readonly first: readonly string[] = ['--port', String(port), ...STANDALONE],
  ) {}

  /** A Sentinel; all it needs is in its file, which it rewrites. */
  static sentinel(port: number, file: string): RedisServer {
    return new RedisServer(port, ['--sentinel'], [file]);
  }

  static async start(...flags: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), flags);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.port };
  }

  /** Starts it, or starts it again, empty, on the same port. */
  async start(): Promise<void> {
    const flags = [...this.first, ...this.flags];
    const child = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = child;
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (!/Ready to accept connections|monitor master/.test(line)) continue;
      child.stdout.resume();
      return;
    }
    throw new Error(`redis-server ended before it was ready:\n${lines.join('\n')}`);
  }

  /** SIGKILL, as a crash is; does nothing when it has ended. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** SIGSTOP makes it a black hole: connections stay, nothing is answered. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal);
  }

  /** Runs one command on a connection of its own. */
  async call(command: string, ...args: (string | number)[]): Promise<unknown> {
    const client = new Redis({ ...this.address, lazyConnect: true, retryStrategy: null });
    client.on('error', () => {});
    try {
      return await client.call(command, args);
    } finally {
      client.disconnect();
    }
  }
}
