import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, RedisServer } from './redis-server.js';
import { until } from '../clock/until.js';

const NAME = 'mymaster';
const DOWN_AFTER_MS = 2_000;
const SENTINELS = 3;

/** A master, a replica of it, and three real Sentinels on loopback. */
export class SentinelGroup {
  private constructor(
    readonly servers: readonly RedisServer[],
    readonly sentinels: readonly RedisServer[],
    private readonly folder: string,
  ) {}

  static async start(): Promise<SentinelGroup> {
    const folder = await mkdtemp(join(tmpdir(), 'realtime-sentinel-'));
    // A replica writes what it is sent to a file, where the next server to start would find it.
    const master = await RedisServer.start('--dir', folder, '--dbfilename', 'master.rdb');
    const replica = await RedisServer.start(
      ...['--dir', folder, '--dbfilename', 'replica.rdb'],
      ...['--replicaof', '127.0.0.1', String(master.port)],
    );
    const sentinels: RedisServer[] = [];
    const group = new SentinelGroup([master, replica], sentinels, folder);
    try {
      await until('the replica is in step', async () =>
        String(await replica.call('INFO', 'replication')).includes('master_link_status:up'),
      );
      for (let i = 0; i < SENTINELS; i++) sentinels.push(await group.#sentinel(master.port));
      await until('the Sentinels know each other and the replica', async () => {
        const states = await Promise.all(sentinels.map((it) => it.call('SENTINEL', 'MASTER', NAME)));
        return states.every((state) => {
          const fields = state as string[];
          const valueOf = (field: string) => fields[fields.indexOf(field) + 1];
          return valueOf('num-other-sentinels') === '2' && valueOf('num-slaves') === '1';
        });
      });
      return group;
    } catch (error) {
      await group.stop();
      throw error;
    }
  }

  /** ioredis options for the group. */
  get options() {
    return { sentinels: this.sentinels.map(({ address }) => address), name: NAME };
  }

  /** The server that the Sentinels call the master. */
  async master(): Promise<RedisServer | undefined> {
    const [sentinel] = this.sentinels as [RedisServer];
    const [, port] = (await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as [string, string];
    return this.servers.find((server) => server.port === Number(port));
  }

  /** Asks for a failover while the old master lives. */
  async failover(): Promise<void> {
    await this.sentinels[0]?.call('SENTINEL', 'FAILOVER', NAME);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server.kill()));
    await rm(this.folder, { recursive: true, force: true });
  }

  async #sentinel(masterPort: number): Promise<RedisServer> {
    const port = await freePort();
    const file = join(this.folder, `${port}.conf`);
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${this.folder}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 2`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${NAME} 10000`,
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    const sentinel = RedisServer.sentinel(port, file);
    await sentinel.start();
    return sentinel;
  }
}
