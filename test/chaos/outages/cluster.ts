import { freePort } from '../../rig/redis/redis-server.js';
import { ForkedProcess } from '../../rig/process/forked-process.js';
import type { Newcomer, NodeState, Standing } from './protocol.js';

const LOOK_EVERY_MS = 100;
/** A client that has not received a mark by then was not subscribed, and gets another. */
const MARK_MS = 1_000;
const SETTLE_MS = 15_000;
const EXIT_MS = 30_000;

const wait = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
const inFile = (name: string) => new URL(name, import.meta.url);

interface Ports {
  readonly redis: number;
  readonly auth: number;
  readonly nodes: readonly [number, number];
}

/** Two nodes and a process of clients that connect to both. */
export class Cluster {
  /** How often each message was handled, on any node, by its key. */
  readonly counted = new Map<string, number>();
  readonly #nodes: ForkedProcess[] = [];
  #marks = 0;

  private constructor(
    private readonly ports: Ports,
    private readonly clients: ForkedProcess,
  ) {}

  /** The first token of each client expires within 30 to 80 % of the given time after it connects. */
  static async start(given: {
    clients: number;
    redis: number;
    auth: number;
    expiresWithinMs: number;
  }): Promise<Cluster> {
    const nodes = [await freePort(), await freePort()] as const;
    const { clients: count, expiresWithinMs: ms } = given;
    const args = { clients: count, 'first-port': nodes[0], 'second-port': nodes[1] };
    const tokens = { 'expires-from-ms': Math.round(0.3 * ms), 'expires-to-ms': Math.round(0.8 * ms) };
    const ports = { redis: given.redis, auth: given.auth, nodes };
    const cluster: Cluster = new Cluster(
      ports,
      new ForkedProcess(inFile('./clients.ts'), argumentsOf({ ...args, ...tokens })),
    );
    const ready = cluster.clients.next('ready');
    cluster.#nodes.push(...(await Promise.all(nodes.map((port) => cluster.#startNode(port)))));
    await ready;
    // Only now: the first tokens must not expire while the nodes start.
    await cluster.clients.request('connect');
    return cluster;
  }

  newcomer(userId: string): Promise<Newcomer> {
    return this.clients.request('newcomer', userId);
  }

  /** Connection attempts in each second since the last call. */
  attempts(): Promise<number[]> {
    return this.clients.request('attempts');
  }

  async look(): Promise<{ standing: Standing; nodes: NodeState[] }> {
    const nodes = await Promise.all(this.#nodes.map((node) => node.request<NodeState>('state')));
    return { standing: await this.#standing(''), nodes };
  }

  /** Connections that have ended because their token had expired. */
  async expired(): Promise<number> {
    const nodes = await Promise.all(this.#nodes.map((node) => node.request<NodeState>('state')));
    return nodes.reduce((sum, node) => sum + node.expired, 0);
  }

  /** Whether, within that time, every client is connected and receives what either node sends to all. */
  async isWhole(withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    for (const node of this.#nodes) {
      while (!(await this.#hearsAll(node))) if (performance.now() > deadline) return false;
    }
    return true;
  }

  /** One node after the other gets SIGTERM, ends, and is started again. */
  async rollingRestart(): Promise<void> {
    for (const [index, port] of this.ports.nodes.entries()) {
      const node = this.#nodes[index] as ForkedProcess;
      node.signal('SIGTERM');
      const isLate = wait(EXIT_MS).then(() => node.signal('SIGKILL'));
      await Promise.race([node.exited, isLate]);
      this.#nodes[index] = await this.#startNode(port);
    }
  }

  countedMoreThanOnce(): string[] {
    return [...this.counted].filter(([, times]) => times > 1).map(([key]) => key);
  }

  /** Stops sending requests, and waits until the pending ones have settled. */
  async finish(): Promise<{ standing: Standing; nodes: NodeState[] }> {
    await this.clients.request('stop');
    const deadline = performance.now() + SETTLE_MS;
    while ((await this.#standing('')).unsettled > 0 && performance.now() < deadline)
      await wait(LOOK_EVERY_MS);
    return this.look();
  }

  async stop(): Promise<void> {
    await this.clients.request('leave');
    await this.clients.exited;
    for (const node of this.#nodes) node.signal('SIGTERM');
    await Promise.all(this.#nodes.map(({ exited }) => exited));
  }

  async #hearsAll(node: ForkedProcess): Promise<boolean> {
    const key = `mark${++this.#marks}`;
    await node.request('mark', key);
    for (let waitedMs = 0; waitedMs < MARK_MS; waitedMs += LOOK_EVERY_MS) {
      const { clients, connected, marked } = await this.#standing(key);
      if (connected === clients && marked === clients) return true;
      await wait(LOOK_EVERY_MS);
    }
    return false;
  }

  #standing(mark: string): Promise<Standing> {
    return this.clients.request('standing', mark);
  }

  async #startNode(port: number): Promise<ForkedProcess> {
    const { redis, auth } = this.ports;
    const args = argumentsOf({ port, 'redis-port': redis, 'auth-port': auth });
    const node = new ForkedProcess(inFile('./node.ts'), args);
    node.each('counted', (key: string) => this.counted.set(key, (this.counted.get(key) ?? 0) + 1));
    await node.next('listening');
    return node;
  }
}

function argumentsOf(values: Readonly<Record<string, number>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
}
