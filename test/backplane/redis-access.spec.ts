import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Cluster } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RedisConfiguration } from '../../lib/backplane/redis-configuration.js';
import { RedisClusterServers } from './redis-cluster-servers.js';
import { RedisNode } from './redis-node.js';
import { freePort, RedisServer } from './redis-server.js';
import { until } from './until.js';

/** The rules of the ACL user that lib/backplane/redis-names.ts documents. */
async function documentedRules(): Promise<string[]> {
  const source = await readFile(new URL('../../lib/backplane/redis-names.ts', import.meta.url), 'utf8');
  const [, rules = ''] = /ACL SETUSER realtime ([^/]+)\*\//.exec(source) ?? [];
  return rules
    .replaceAll(/\n \*\s*/g, ' ')
    .trim()
    .split(/ +/);
}

describe('RedisBackplane, with limited rights', () => {
  const nodes: RedisNode[] = [];
  let server: RedisServer;

  async function node(redis: RedisConfiguration, id: string, prefix?: string): Promise<RedisNode> {
    const made = new RedisNode(redis, id, prefix);
    nodes.push(made);
    return made.start();
  }

  async function talk(redis: RedisConfiguration): Promise<void> {
    const [one, other] = [await node(redis, 'a'), await node(redis, 'b')];
    await other.subscribe('all', 'user:1', 'room:2');
    for (const channel of ['all', 'user:1', 'room:2']) {
      expect(await one.say(channel, channel)).toEqual({ nodes: 1 });
    }
    await other.hears(3);
  }

  beforeAll(async () => {
    server = await RedisServer.start();
    await server.call('ACL', 'SETUSER', 'realtime', ...(await documentedRules()));
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ backplane }) => backplane.stop()));
  });
  afterAll(async () => {
    await server.kill();
  });

  it('works as the documented user, who may do nothing else', async () => {
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

  it("says refused, without asking again and again, when the prefix is not the user's", async () => {
    const stranger = new RedisNode(
      { ...server.address, username: 'realtime', password: 'secret' },
      'c',
      'theirs',
    );
    nodes.push(stranger);
    await stranger.backplane.start({
      receive: () => {},
      stateChanged: (state) => stranger.states.push(state),
    });
    await expect(stranger.backplane.subscribe('all')).rejects.toMatchObject({ reason: 'refused' });
    expect(stranger.state).not.toBe('up');
    expect(stranger.metrics.failures.total).toBeLessThan(5);
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
    const folder = await mkdtemp(join(tmpdir(), 'realtime-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    await promisify(execFile)('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...[...subject, '-keyout', key, '-out', cert],
    ]);
    const tlsPort = await freePort();
    const secured = new RedisServer(await freePort(), [
      ...['--tls-port', String(tlsPort), '--tls-cert-file', cert, '--tls-key-file', key],
      ...['--tls-auth-clients', 'no', '--requirepass', 'secret'],
    ]);
    try {
      await secured.start();
      const ca = await readFile(cert, 'utf8');
      await talk({ host: 'localhost', port: tlsPort, password: 'secret', tls: { ca } });
      const stranger = new RedisNode(`rediss://:secret@127.0.0.1:${tlsPort}`, 'c');
      nodes.push(stranger);
      await stranger.backplane.start({ receive: () => {}, stateChanged: () => {} });
      await until('the certificate is refused', () =>
        stranger.lines.some((line) => /self.signed/.test(line)),
      );
      await expect(stranger.say('all', 'no')).rejects.toMatchObject({ reason: 'unavailable' });
      await Promise.all(nodes.splice(0).map(({ backplane }) => backplane.stop()));
    } finally {
      await secured.kill();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
