import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Cluster } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RedisConfiguration } from '../../lib/backplane/redis/client/redis-configuration.js';
import { RedisClusterServers, tlsFlags, type Certificate } from '../rig/redis/cluster-servers.js';
import { RedisNode } from '../rig/redis/redis-node.js';
import { freePort, RedisServer } from '../rig/redis/redis-server.js';
import { until } from '../rig/clock/until.js';

/** The rules of the ACL user that lib/backplane/redis/client/redis-names.ts documents. */
async function documentedRules(): Promise<string[]> {
  const source = await readFile(
    new URL('../../lib/backplane/redis/client/redis-names.ts', import.meta.url),
    'utf8',
  );
  const [, rules = ''] = /ACL SETUSER realtime ([^/]+)\*\//.exec(source) ?? [];
  return rules
    .replaceAll(/\n \*\s*/g, ' ')
    .trim()
    .split(/ +/);
}

describe('RedisBackplane, with limited rights', () => {
  const nodes: RedisNode[] = [];
  let server: RedisServer;
  let folder: string;
  let certificate: Certificate;
  let ca: string;

  async function node(redis: RedisConfiguration, id: string, prefix?: string): Promise<RedisNode> {
    const made = new RedisNode(redis, id, prefix);
    nodes.push(made);
    return made.start();
  }

  async function talk(redis: RedisConfiguration): Promise<void> {
    const [one, other] = [await node(redis, 'a'), await node(redis, 'b')];
    await other.subscribe('all', 'user:1', 'room:2');
    for (const channel of ['all', 'user:1', 'room:2']) {
      expect(await one.publish(channel, channel)).toEqual({ nodes: 1 });
    }
    await other.hasReceived(3);
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'realtime-tls-'));
    certificate = await selfSigned(folder);
    ca = await readFile(certificate.cert, 'utf8');
    server = await RedisServer.start();
    await server.call('ACL', 'SETUSER', 'realtime', ...(await documentedRules()));
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ backplane }) => backplane.stop()));
  });
  afterAll(async () => {
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  });

  it('works as the documented user, who has no other permission', async () => {
    const user = { ...server.address, username: 'realtime', password: 'secret' };
    await talk(user);
    for (const { lines } of nodes) expect(lines.filter((line) => line.includes('NOPERM'))).toEqual([]);
    await expect(server.call('ACL', 'DRYRUN', 'realtime', 'GET', 'realtime:v1:x')).resolves.toMatch(
      /no permi/,
    );
    await expect(server.call('ACL', 'DRYRUN', 'realtime', 'PUBLISH', 'other', '')).resolves.toMatch(
      /no permi/,
    );
  });

  it('rejects with refused, without quick retries, when the ACL does not allow the prefix', async () => {
    const other = new RedisNode(
      { ...server.address, username: 'realtime', password: 'secret' },
      'c',
      'theirs',
    );
    nodes.push(other);
    await other.backplane.start({
      receive: () => {},
      stateChanged: (state) => other.states.push(state),
      interrupted: () => {},
    });
    await expect(other.backplane.subscribe('all')).rejects.toMatchObject({ reason: 'refused' });
    expect(other.state).not.toBe('up');
    expect(other.metrics.failures.total).toBeLessThan(5);
  });

  it('works as the documented user of a cluster', async () => {
    const servers = await RedisClusterServers.start();
    const rules = await documentedRules();
    const given = new Cluster(servers.nodes, {
      lazyConnect: true,
      redisOptions: { username: 'realtime', password: 'secret' },
    });
    try {
      for (const master of servers.masters) await master.call('ACL', 'SETUSER', 'realtime', ...rules);
      await talk(given);
      for (const { lines } of nodes) expect(lines.filter((line) => line.includes('NOPERM'))).toEqual([]);
    } finally {
      await Promise.all(nodes.splice(0).map(({ backplane }) => backplane.stop()));
      given.disconnect();
      await servers.stop();
    }
  }, 60_000);

  it('speaks TLS with a password, by options and by URL, and refuses a certificate it does not know', async () => {
    const tlsPort = await freePort();
    const flags = tlsFlags(tlsPort, certificate);
    const secured = new RedisServer(await freePort(), [...flags, '--requirepass', 'secret']);
    try {
      await secured.start();
      await talk({ host: 'localhost', port: tlsPort, password: 'secret', tls: { ca } });
      const other = new RedisNode(`rediss://:secret@127.0.0.1:${tlsPort}`, 'c');
      nodes.push(other);
      await other.backplane.start({ receive: () => {}, stateChanged: () => {}, interrupted: () => {} });
      await until('the certificate is refused', () => other.lines.some((line) => /self.signed/.test(line)));
      await expect(other.publish('all', 'no')).rejects.toMatchObject({ reason: 'unavailable' });
      await Promise.all(nodes.splice(0).map(({ backplane }) => backplane.stop()));
    } finally {
      await secured.kill();
    }
  });

  it('speaks TLS to every master of a cluster', async () => {
    const servers = await RedisClusterServers.start({ certificate });
    const given = new Cluster([...servers.secured], { lazyConnect: true, redisOptions: { tls: { ca } } });
    try {
      await talk(given);
      for (const master of servers.masters) {
        const ports = String(await master.call('CLIENT', 'LIST', 'TYPE', 'pubsub')).match(/laddr=\S+/g) ?? [];
        expect(ports).toHaveLength(2);
        for (const port of ports)
          expect(servers.secured.map((it) => `laddr=${it.host}:${it.port}`)).toContain(port);
      }
    } finally {
      await Promise.all(nodes.splice(0).map(({ backplane }) => backplane.stop()));
      given.disconnect();
      await servers.stop();
    }
  }, 60_000);
});

async function selfSigned(folder: string): Promise<Certificate> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const files = ['-keyout', key, '-out', cert];
  await promisify(execFile)('openssl', [
    'req',
    '-x509',
    ...curve,
    '-nodes',
    '-days',
    '2',
    ...subject,
    ...files,
  ]);
  return { key, cert };
}
