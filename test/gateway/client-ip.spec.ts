import type { RealtimeOptions } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { openLobby } from './lobby.js';
import { upgrade } from '../rig/sockets/upgrade-request.js';

/** The IP that `authenticate` gets for a loopback client with this X-Forwarded-For. */
async function ipSeen(trustProxy: RealtimeOptions['trustProxy'], forwardedFor: string): Promise<string> {
  const seen: string[] = [];
  const { app } = await openLobby({
    ...(trustProxy === undefined ? {} : { trustProxy }),
    authenticate: ({ ip }) => {
      seen.push(ip);
      return {};
    },
  });
  await upgrade(app.port, { headers: { 'X-Forwarded-For': forwardedFor } });
  return seen.join();
}

describe("a client's IP", () => {
  const cases: [
    trust: string,
    trustProxy: RealtimeOptions['trustProxy'],
    forwardedFor: string,
    ip: string,
  ][] = [
    ['no proxy, by default', undefined, '203.0.113.9', '127.0.0.1'],
    ['no proxy, with false', false, '203.0.113.9', '127.0.0.1'],
    ['one hop', 1, '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    ['two hops', 2, '192.0.2.1, 198.51.100.1, 203.0.113.9', '198.51.100.1'],
    ['loopback', 'loopback', '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    ['loopback and a subnet', 'loopback, 10.0.0.0/8', '198.51.100.1, 10.1.2.3', '198.51.100.1'],
    ['a list of subnets', ['127.0.0.1', '10.0.0.0/8'], '192.0.2.1, 198.51.100.1, 10.1.2.3', '198.51.100.1'],
    ['another proxy than the peer', '10.0.0.0/8', '203.0.113.9', '127.0.0.1'],
    ['everyone', true, '192.0.2.1, 198.51.100.1', '192.0.2.1'],
    ['a function', (ip: string) => ip === '127.0.0.1', '192.0.2.1, 198.51.100.1', '198.51.100.1'],
    ['a function that returns a promise', (() => Promise.resolve(false)) as never, '192.0.2.1', '127.0.0.1'],
    ['loopback, which adds a port', 'loopback', '203.0.113.9:4711', '203.0.113.9'],
    ['loopback, which adds brackets and a port', 'loopback', '[2001:db8::1]:4711', '2001:db8::1'],
    [
      'a proxy behind a proxy that adds ports',
      ['127.0.0.1', '10.0.0.0/8'],
      '203.0.113.9:1, 10.1.2.3:2',
      '203.0.113.9',
    ],
    ['loopback, which maps IPv4', 'loopback', '::ffff:203.0.113.9', '203.0.113.9'],
    ['a function that returns no boolean', (() => 'yes') as never, '203.0.113.9', '127.0.0.1'],
    ['loopback, for at most 32 hops', 'loopback', `203.0.113.9${', ::1'.repeat(40)}`, '::1'],
    ['loopback, without a valid address', 'loopback', 'unknown', '127.0.0.1'],
    ['everyone, without a valid address', true, 'x'.repeat(1_000), '127.0.0.1'],
  ];

  it.each(cases)(
    'is taken from the right address, trusting %s',
    async (_trust, trustProxy, forwardedFor, ip) => {
      expect(await ipSeen(trustProxy, forwardedFor)).toBe(ip);
    },
  );
});

it('X-Forwarded-For of a client that is not a trusted proxy does not evade the limit per IP', async () => {
  const { app, registry } = await openLobby({ maxConnectionsPerIp: 1 });
  await app.connect('/lobby', { headers: { 'X-Forwarded-For': '203.0.113.1' } });
  const { status } = await upgrade(app.port, { headers: { 'X-Forwarded-For': '203.0.113.2' } });
  expect(status).toBe(429);
  expect([...registry].map(({ ip }) => ip)).toEqual(['127.0.0.1']);
});

it('behind a trusted proxy each client has its own limit', async () => {
  const { app } = await openLobby({ maxConnectionsPerIp: 1, trustProxy: 'loopback' });
  await app.connect('/lobby', { headers: { 'X-Forwarded-For': '203.0.113.1' } });
  await app.connect('/lobby', { headers: { 'X-Forwarded-For': '203.0.113.2' } });
  const { status } = await upgrade(app.port, { headers: { 'X-Forwarded-For': '203.0.113.2' } });
  expect(status).toBe(429);
});

it.each(['lopback', '10.0.0.0/99', ''])(
  'the trustProxy "%s" is refused at start, by name',
  async (trustProxy) => {
    await expect(openLobby({ trustProxy })).rejects.toThrow(/the option trustProxy .*(invalid|got "")/);
  },
);
