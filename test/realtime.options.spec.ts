import { RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { createRealtimeTestApp } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { resolveOptions } from '../lib/realtime.options.js';

/** Starts an app; what keeps it from starting is thrown. */
async function boot(...parameters: Parameters<typeof createRealtimeTestApp>): Promise<void> {
  const app = await createRealtimeTestApp(...parameters);
  await app.close();
}

describe('forRoot', () => {
  const refused: [string, unknown, expected: string, got: string][] = [
    ['maxPayloadBytes', 0, 'a positive integer', '0: correct it, or leave it out for the default, 65536.'],
    ['maxPayloadBytes', '64kb', 'a positive integer', '"64kb": correct it'],
    ['maxPayloadBytes', '65536', 'a positive integer', '"65536": convert it with Number().'],
    ['maxJsonDepth', -1, 'a positive integer', '-1: '],
    ['maxJsonKeys', 1.5, 'a positive integer', '1.5: '],
    ['maxProtocolErrors', Number.NaN, 'a positive integer', 'NaN: '],
    ['concurrency', 0, 'a positive integer', '0: '],
    ['maxWaitingMessages', null, 'a positive integer', 'null: correct it, or leave it out'],
    ['highWaterMarkBytes', Infinity, 'a positive integer', 'Infinity: '],
    ['maxQueueBytes', {}, 'a positive integer', 'an object: '],
    ['closeTimeoutMs', 2 ** 31, 'a positive integer', '2147483648: '],
    ['maxFragments', false, 'a positive integer', 'false: '],
    ['handshakeTimeoutMs', '5s', 'a positive integer', '"5s": '],
    ['authTimeoutMs', true, 'a positive integer or false', 'true: '],
    ['maxConnections', 0, 'a positive integer or false', '0: '],
    [
      'maxConnectionsPerIp',
      -1,
      'a positive integer or false',
      '-1: correct it, or leave it out for the default, false.',
    ],
    ['maxConnectionsPerUser', 2.5, 'a positive integer or false', '2.5: '],
    ['maxUnauthenticated', null, 'a positive integer or false', 'null: '],
    ['heartbeat', true, 'an object or false', 'true: correct it or leave it out.'],
    [
      'heartbeat.intervalMs',
      0,
      'a positive integer',
      '0: correct it, or leave it out for the default, 25000.',
    ],
    ['rateLimit.messagesPerSecond', '10', 'a positive integer', '"10": convert it with Number().'],
    ['drain.timeoutMs', false, 'a positive integer', 'false: '],
    ['idempotency', [], 'an object or false', 'an empty array: '],
    ['handshakes.maxPerSecond', true, 'a positive integer or false', 'true: '],
    ['compression', true, 'an object or false', 'true: '],
    [
      'rejectWith',
      'tcp',
      "'http' or 'close'",
      '"tcp": correct it, or leave it out for the default, \'http\'.',
    ],
    [
      'origins',
      'https://a.test',
      "'same-host', a list like ['https://app.example.com'], a function or false",
      '"https://a.test": ',
    ],
    ['origins', ['*'], "'same-host', a list", 'an array: '],
    ['ticketStore', {}, 'an object with the methods put, take', 'an object: '],
    ['logConnections', 'false', 'true or false', '"false": text is never a switch, compare it first'],
    ['allowMissingOrigin', 0, 'true or false', '0: '],
    [
      'trustProxy',
      {},
      "true, false, a number of hops, a function, or addresses like 'loopback, 10.0.0.0/8'",
      'an object: ',
    ],
    ['trustProxy', 0, 'true, false, a number of hops', '0: '],
    ['trustProxy', ['10.0.0.0/8', 7], 'true, false, a number of hops', 'an array: '],
    ['authenticate', 'jwt', 'a function (handshake) => identity', '"jwt": '],
    ['tokenCookie', 7, "a cookie's name or false", '7: '],
    ['tokenCookie', 'a;b', "a cookie's name or false", '"a;b": '],
    ['redisPrefix', 'a{b}', 'a text without spaces and braces', '"a{b}": '],
    ['redisPrefix', '', 'a text without spaces and braces', '"": '],
    [
      'backplane',
      'redis://:secret@localhost',
      'an object with the methods start, subscribe, unsubscribe, publish, stop',
      '',
    ],
  ];

  it.each(refused)('refuses %s: %j', async (name, value, expected, got) => {
    const [group, setting] = name.split('.') as [string, string?];
    const options = { [group]: setting === undefined ? value : { [setting]: value } } as RealtimeOptions;
    const app = boot({ imports: [RealtimeModule.forRoot(options)] });
    await expect(app).rejects.toThrow(`RealtimeModule expected the option ${name} to be ${expected}`);
    await expect(app).rejects.toThrow(`, got ${got}`);
  });

  it('refuses a value of the wrong kind for each of its options', async () => {
    // Read where it is used, which knows all that a Redis URL or client may be.
    const names = Object.keys(resolveOptions({})).filter((name) => name !== 'redis');
    expect(names.length).toBeGreaterThan(30);
    for (const name of names) {
      expect(() => resolveOptions({ [name]: Symbol('wrong') })).toThrow(
        `RealtimeModule expected the option ${name} to be `,
      );
    }
  });

  it.each([
    ['heartbeats', 'heartbeat'],
    ['maxPayload', 'maxPayloadBytes'],
    ['maxConectionsPerIP', 'maxConnectionsPerIp'],
    ['authenticat', 'authenticate'],
    ['trust_proxy', 'trustProxy'],
    ['origin', 'origins'],
    ['heartbeat.interval', 'heartbeat.intervalMs'],
  ])('refuses the unknown option %s and names the nearest', async (name, nearest) => {
    const [group, setting] = name.split('.') as [string, string?];
    const options = { [group]: setting === undefined ? 1 : { [setting]: 1 } } as RealtimeOptions;
    await expect(boot({ imports: [RealtimeModule.forRoot(options)] })).rejects.toThrow(
      `RealtimeModule has no option "${name}": did you mean "${nearest}"?`,
    );
  });

  it('refuses an unknown option that is like none and lists those there are', async () => {
    const options = { cors: true } as RealtimeOptions;
    await expect(boot({ imports: [RealtimeModule.forRoot(options)] })).rejects.toThrow(
      /^RealtimeModule has no option "cors": the options are authenticate, .*maxPayloadBytes.*drain\.$/,
    );
    const setting = { heartbeat: { every: 1 } } as RealtimeOptions;
    await expect(boot({ imports: [RealtimeModule.forRoot(setting)] })).rejects.toThrow(
      'RealtimeModule has no option "heartbeat.every": the options are heartbeat.intervalMs, heartbeat.timeoutMs.',
    );
  });

  it('refuses a high-water mark above the queue', async () => {
    const options = { highWaterMarkBytes: 11, maxQueueBytes: 10 };
    await expect(boot({ imports: [RealtimeModule.forRoot(options)] })).rejects.toThrow(
      'RealtimeModule expected highWaterMarkBytes (11) to be at most maxQueueBytes (10): lower the first or raise the second.',
    );
  });

  it('refuses a queue that the messages of the protocol do not fit into', async () => {
    const options = { highWaterMarkBytes: 64, maxQueueBytes: 64 };
    await expect(boot({ imports: [RealtimeModule.forRoot(options)] })).rejects.toThrow(
      'RealtimeModule expected maxQueueBytes (64) to be at least 4096, the size that messages of the protocol need: raise it.',
    );
  });

  it('refuses frames larger than the rate limit ever lets through', async () => {
    const options = { maxPayloadBytes: 16_000_000 };
    await expect(boot({ imports: [RealtimeModule.forRoot(options)] })).rejects.toThrow(
      'RealtimeModule expected rateLimit.burstBytes (8388608) to be at least maxPayloadBytes (16000000), since a frame above the burst is always refused: raise the first or lower the second.',
    );
    await boot({ imports: [RealtimeModule.forRoot({ ...options, rateLimit: false })] });
  });

  it.each([null, 'fast', []])('refuses %j in place of options', async (options) => {
    const module = RealtimeModule.forRootAsync({ useFactory: () => options as RealtimeOptions });
    await expect(boot({ imports: [module] })).rejects.toThrow(
      /^RealtimeModule expected an options object, got (null|"fast"|an empty array): return one from useFactory, {} for the defaults\.$/,
    );
  });
});
