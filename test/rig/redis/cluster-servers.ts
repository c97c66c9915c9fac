import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../clock/until.js';
import { freePort, RedisServer } from './redis-server.js';

const SLOTS = 16_384;
/** `cluster-node-timeout`: a master is failed over this long, and an election, after it fell silent. */
const NODE_TIMEOUT_MS = 3_000;

/** A real Redis Cluster on loopback: three masters, and a replica of each if wanted. */
export class RedisClusterServers {
  private constructor(
    readonly masters: readonly RedisServer[],
    readonly replicas: readonly RedisServer[],
    private readonly folder: string,
    readonly secured: readonly { host: string; port: number }[],
  ) {}

  /** With a certificate, the members speak TLS with each other, and with clients on the ports of `secured`. */
  static async start({
    replicas = false,
    certificate,
  }: { replicas?: boolean; certificate?: Certificate } = {}): Promise<RedisClusterServers> {
    const folder = await mkdtemp(join(tmpdir(), 'realtime-cluster-'));
    const servers: RedisServer[] = [];
    const secured: { host: string; port: number }[] = [];
    try {
      for (let i = 0; i < (replicas ? 6 : 3); i++) {
        const port = await freePort();
        secured.push({ host: '127.0.0.1', port });
        servers.push(await startMember(folder, certificate === undefined ? [] : tlsFlags(port, certificate)));
      }
      const cluster = new RedisClusterServers(servers.slice(0, 3), servers.slice(3), folder, secured);
      await cluster.#form();
      return cluster;
    } catch (error) {
      await Promise.all(servers.map((server) => server.kill()));
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get nodes(): { host: string; port: number }[] {
    return [...this.masters, ...this.replicas].map(({ address }) => address);
  }

  /** Moves a slot while it is in use, as `redis-cli --cluster reshard` does. */
  async moveSlot(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
    const [source, target] = [await idOf(from), await idOf(to)];
    await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source);
    await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target);
    const keys = (await from.call('CLUSTER', 'GETKEYSINSLOT', slot, 1_000)) as string[];
    if (keys.length > 0) {
      await from.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
    }
    await to.call('CLUSTER', 'SETSLOT', slot, 'NODE', target);
    await from.call('CLUSTER', 'SETSLOT', slot, 'NODE', target);
    const others = this.masters.filter((master) => master !== from && master !== to);
    await Promise.all(others.map((master) => master.call('CLUSTER', 'SETSLOT', slot, 'NODE', target)));
  }

  /** The master that owns a slot, as one of the others says it. */
  async ownerOf(slot: number): Promise<RedisServer> {
    const ranges = (await this.masters[0]?.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    const range = ranges.find(([from, to]) => from <= slot && slot <= to);
    const owner = [...this.masters, ...this.replicas].find(({ port }) => port === range?.[2][1]);
    if (owner === undefined) throw new Error(`Nobody owns slot ${slot}.`);
    return owner;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.masters, ...this.replicas].map((server) => server.kill()));
    await rm(this.folder, { recursive: true, force: true });
  }

  async #form(): Promise<void> {
    const [first] = this.masters as [RedisServer];
    for (const [i, master] of this.masters.entries()) {
      const [from, to] = [Math.ceil((SLOTS * i) / 3), Math.ceil((SLOTS * (i + 1)) / 3) - 1];
      await master.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
      await master.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    }
    for (const { port } of this.nodes.slice(1)) await first.call('CLUSTER', 'MEET', '127.0.0.1', port);
    const all = [...this.masters, ...this.replicas];
    for (const [i, replica] of this.replicas.entries()) {
      const master = await idOf(this.masters[i] as RedisServer);
      await until('the replica knows its master', () =>
        replica.call('CLUSTER', 'REPLICATE', master).then(
          () => true,
          () => false,
        ),
      );
    }
    for (const server of all) {
      await until('every node sees the whole cluster', async () => {
        const info = String(await server.call('CLUSTER', 'INFO'));
        const slots = (await server.call('CLUSTER', 'SLOTS')) as unknown[][];
        const hasReplicas = this.replicas.length === 0 || slots.every((range) => range.length === 4);
        return info.includes('cluster_state:ok') && slots.length === 3 && hasReplicas;
      });
    }
  }
}

/** The files of a key and of its certificate. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** What makes a server speak TLS on this port, to whoever trusts the certificate. */
export function tlsFlags(port: number, { key, cert }: Certificate): string[] {
  return [
    ...['--tls-port', String(port), '--tls-auth-clients', 'no'],
    ...['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert],
  ];
}

async function startMember(folder: string, tls: readonly string[]): Promise<RedisServer> {
  let port = await freePort();
  // The bus listens 10,000 above.
  while (port > 55_000) port = await freePort();
  const server = new RedisServer(port, [
    ...['--cluster-enabled', 'yes', '--cluster-config-file', `nodes-${port}.conf`, '--dir', folder],
    ...['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--enable-debug-command', 'yes'],
    ...(tls.length === 0 ? [] : [...tls, '--tls-cluster', 'yes', '--cluster-port', String(port + 10_000)]),
  ]);
  await server.start();
  return server;
}

async function idOf(server: RedisServer): Promise<string> {
  return String(await server.call('CLUSTER', 'MYID'));
}
