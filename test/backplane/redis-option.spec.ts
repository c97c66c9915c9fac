import type { DynamicModule } from '@nestjs/common';
import { Cluster, Redis } from 'ioredis';
import { RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { createRealtimeTestApp } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import type { RedisConfiguration } from '../../lib/backplane/redis/client/redis-configuration.js';
import { checkRedisOption, describeRedis } from '../../lib/backplane/redis/redis-option.js';
import { lobbyContract } from '../gateway/lobby.js';

const lazy = { lazyConnect: true } as const;
const cluster = new Cluster(['redis://:secret@one:7000', { host: 'two', port: 7001 }], lazy);

const known: [string, RedisConfiguration, string][] = [
  ['a URL', 'redis://ann:secret@redis.test', 'redis://redis.test:6379 (standalone)'],
  [
    'a URL with a port and a database',
    'redis://:secret@redis.test:7/2?family=4',
    'redis://redis.test:7/2 (standalone)',
  ],
  ['a URL of TLS', 'REDISS://redis.test', 'rediss://redis.test:6379 (standalone)'],
  ['a socket', '/run/redis.sock?password=secret', 'unix:/run/redis.sock (standalone)'],
  ['no options', {}, 'redis://localhost:6379 (standalone)'],
  ['options', { host: 'h', port: 7, db: 1, password: 'secret', tls: {} }, 'rediss://h:7/1 (standalone)'],
  [
    'Sentinels',
    { sentinels: [{ host: 'a', port: 1 }, { host: 'b' }], name: 'mine', password: 'secret' },
    'a:1, b:6379 (Sentinel, group mine)',
  ],
  ['a client', new Redis('redis://:secret@h:7', lazy), 'redis://h:7 (standalone)'],
  ['a cluster', cluster, 'one:7000, two:7001 (cluster)'],
];

describe('describeRedis', () => {
  it.each(known)('describes the address of %s without its password', (_kind, redis, description) => {
    expect(() => checkRedisOption(redis)).not.toThrow();
    expect(describeRedis(redis)).toBe(description);
  });
});

/** Starts an app; what keeps it from starting is thrown. */
async function boot(module: DynamicModule): Promise<void> {
  const app = await createRealtimeTestApp({ imports: [module] });
  await app.close();
}

describe('The option redis', () => {
  const URLS = 'a URL that begins with redis:// or rediss://';
  const NEEDED = `${URLS}, such as redis://localhost:6379, got`;
  const notRedis: [unknown, string][] = [
    ['', `to be ${NEEDED} an empty string: set the environment variable it comes from.`],
    [' ', `to be ${NEEDED} an empty string: set the environment variable it comes from.`],
    ['http://u:secret@localhost', `to be ${NEEDED} "http://": write redis:// before the host.`],
    ['localhost:6379', `to be ${NEEDED} one without a scheme: write redis:// before the host.`],
    [':secret@localhost', `to be ${NEEDED} one without a scheme: write redis:// before the host.`],
    ['6379', `to be ${NEEDED} one without a scheme: write redis:// before the host.`],
    ['redis://:se/cret@localhost', 'got one that cannot be read: encode special characters of the password'],
    ['redis://', 'got one that cannot be read'],
    [null, 'or a Redis or Cluster of it, got null.'],
    [6379, 'or a Redis or Cluster of it, got number.'],
    [[], 'or a Redis or Cluster of it, got an array.'],
    [
      { url: 'redis://u:secret@localhost' },
      'or the options of ioredis, which has no url: give the URL itself.',
    ],
    [new URL('redis://u:secret@localhost'), 'to be a string, got a URL object: give its href.'],
    [
      { duplicate: () => {} },
      'got a client of another library: give its URL, such as redis://localhost:6379.',
    ],
    [{ host: '' }, 'redis.host to be a host name, got an empty string.'],
    [{ port: Number.NaN }, 'redis.port to be 1 to 65535, got NaN.'],
    [{ sentinels: [{ host: 'a' }] }, 'redis.name to be the name of their group'],
  ];

  it.each(notRedis)('refuses %j as redis, for sockets and for an emitter', async (redis, rest) => {
    const options = { redis } as RealtimeOptions;
    for (const module of [
      RealtimeModule.forRoot(options),
      RealtimeModule.forEmitter({ ...options, contracts: [lobbyContract] }),
    ]) {
      const error: unknown = await boot(module).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TypeError);
      const { message } = error as TypeError;
      expect(message).toMatch(/^RealtimeModule expected the option redis/);
      expect(message).toContain(rest);
      expect(message).not.toContain('cret');
    }
  });
});
