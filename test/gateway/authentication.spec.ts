import { UnauthorizedException } from '@nestjs/common';
import type { Authenticate, Handshake } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { openLobby } from './lobby.js';
import { upgrade } from '../rig/sockets/upgrade-request.js';

const BEARER = { headers: { Authorization: 'Bearer t' } };

describe('authenticate', () => {
  it('gets the token, the request, the origin, the IP, the params, the query and the cookies', async () => {
    const seen: Handshake[] = [];
    const { app } = await openLobby({
      authenticate: (handshake) => {
        seen.push(handshake);
        return {};
      },
    });
    const headers = {
      ...BEARER.headers,
      Origin: 'http://a.example',
      Host: 'a.example',
      Cookie: 'theme=dark; lang=it%20IT',
    };
    await upgrade(app.port, { path: '/lobby?tab=2', headers });
    const [{ token, request, origin, ip, params, query, cookies, ticket }] = seen as [Handshake];
    expect({ token, url: request.url, origin, ip, params, tab: query.get('tab'), cookies, ticket }).toEqual({
      token: 't',
      url: '/lobby?tab=2',
      origin: 'http://a.example',
      ip: '127.0.0.1',
      params: {},
      tab: '2',
      cookies: expect.objectContaining({ theme: 'dark', lang: 'it IT' }) as unknown,
      ticket: undefined,
    });
  });

  it('determines connection.user, userId and the time left in $hello', async () => {
    const { app, visits } = await openLobby({
      authenticate: () => ({ userId: 'ann', user: { role: 'host' }, expiresAt: Date.now() + 60_000 }),
    });
    const client = app.open('/lobby', { token: 't' });
    const { userId, expiresInMs } = await client.hello();
    expect(userId).toBe('ann');
    expect(expiresInMs).toBeGreaterThan(50_000);
    expect(visits.connected[0]?.user).toEqual({ role: 'host' });
  });

  it('may accept a client anonymously', async () => {
    const { app } = await openLobby({ authenticate: () => ({}) });
    expect((await app.open('/lobby').hello()).userId).toBeNull();
  });

  const refusals: [how: string, authenticate: Authenticate][] = [
    ['returns null', () => null],
    ['returns nothing', () => undefined],
    ['resolves with null', async () => null],
    ['rejects with a 401', () => Promise.reject(new UnauthorizedException('bad signature'))],
    [
      'throws a 401',
      () => {
        throw new UnauthorizedException('bad signature');
      },
    ],
    ['names a time that is over', () => ({ userId: 'ann', expiresAt: Date.now() - 1 })],
  ];

  it.each(refusals)('that %s refuses a token with 401', async (_how, authenticate) => {
    const { app, metrics, visits } = await openLobby({ authenticate });
    const { status, body } = await upgrade(app.port, BEARER);
    expect([status, body]).toEqual([401, 'authentication is required']);
    expect(metrics.upgradesRefused.of('token')).toBe(1);
    expect(visits.connected).toEqual([]);
  });

  const nonsense: [what: string, answer: unknown, words: string][] = [
    ['a string', 'ann', 'got string'],
    ['true', true, 'got boolean'],
    ['a list', [{ userId: 'ann' }], 'got an array'],
    ['a number for the user id', { userId: 7 }, 'userId of authenticate'],
    ['an empty user id', { userId: '' }, 'userId of authenticate'],
    ['a user id of 257 characters', { userId: 'a'.repeat(257) }, 'userId of authenticate'],
    ['NaN for expiresAt', { userId: 'ann', expiresAt: Number.NaN }, 'expiresAt of authenticate'],
    ['seconds for expiresAt', { userId: 'ann', expiresAt: 1_764_000_000 }, 'multiply a JWT `exp` by 1000'],
    ['a Date for expiresAt', { userId: 'ann', expiresAt: new Date() }, 'expiresAt of authenticate'],
  ];

  it.each(nonsense)(
    'that returns %s is answered with 500 and explained in the log',
    async (_what, answer, words) => {
      const { app, log, metrics, visits } = await openLobby({ authenticate: () => answer as null });
      const { status, body } = await upgrade(app.port, BEARER);
      expect([status, body]).toEqual([500, 'internal error']);
      expect(log.of('error').join()).toContain(words);
      expect(metrics.upgradesRefused.of('failure')).toBe(1);
      expect(visits.connected).toEqual([]);
    },
  );

  it('that hangs is answered after handshakeTimeoutMs with 503 and Retry-After', async () => {
    const { app, metrics } = await openLobby({
      handshakeTimeoutMs: 20,
      maxConnections: 1,
      authenticate: ({ token }) => (token === 'slow' ? new Promise(() => {}) : {}),
    });
    const { status, headers } = await upgrade(app.port, { headers: { Authorization: 'Bearer slow' } });
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    expect(metrics.upgradesRefused.of('handshake_timeout')).toBe(1);
    await app.connect('/lobby', { token: 'quick' });
  });

  it('that fails after the timeout has no effect', async () => {
    let fail = (_error: Error) => {};
    const { app } = await openLobby({
      handshakeTimeoutMs: 20,
      authenticate: ({ token }) => (token === 't' ? new Promise((_, reject) => (fail = reject)) : {}),
    });
    await upgrade(app.port, BEARER);
    fail(new Error('too late'));
    await app.connect('/lobby', { token: 'quick' });
  });
});
