import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { RedisServer } from '../rig/redis/redis-server.js';

export interface VenueNode {
  readonly pid: number;
  /** The address of the node itself, without the proxy. */
  readonly url: string;
  /** As `GET /health` reports it; pages show its first characters. */
  readonly name: string;
}

const script = fileURLToPath(new URL('../../sample/01-venue/cluster.mjs', import.meta.url));

/** What `npm run start:cluster` starts once everything is built. */
export class VenueCluster {
  private constructor(
    readonly url: string,
    readonly nodes: readonly VenueNode[],
    readonly redis: RedisServer,
    private readonly process: ChildProcess,
  ) {}

  static async start(): Promise<VenueCluster> {
    const child = spawn(process.execPath, [script], {
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const [, url, pids = '', redisPort] =
        /^Venue is open: (http:\S+) on three nodes, pids (.+); redis-cli -p (\d+)$/.exec(line) ?? [];
      if (url === undefined) continue;
      child.stdout.resume();
      const nodes = [...pids.matchAll(/(\d+) \(:(\d+)\)/g)].map(([, pid, port]) =>
        nodeAt(Number(pid), port ?? ''),
      );
      return new VenueCluster(url, await Promise.all(nodes), new RedisServer(Number(redisPort)), child);
    }
    throw new Error('The cluster ended before it was open.');
  }

  /** The node that serves a page, found by the name that the page shows. */
  nodeNamed(beginning: string): VenueNode {
    const node = this.nodes.find(({ name }) => beginning !== '' && name.startsWith(beginning));
    if (node === undefined) throw new Error(`No node's name begins with "${beginning}".`);
    return node;
  }

  /** Opens one connection through the proxy, so that the next one goes to the next node. */
  async skipTurn(): Promise<void> {
    const socket = connect(Number(new URL(this.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
  }

  /** SIGKILL, as in a crash. */
  kill(node: VenueNode): void {
    process.kill(node.pid, 'SIGKILL');
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    await exited;
  }
}

async function nodeAt(pid: number, port: string): Promise<VenueNode> {
  const url = `http://127.0.0.1:${port}`;
  const { node: name } = (await (await fetch(`${url}/health`)).json()) as { node: string };
  return { pid, url, name };
}
