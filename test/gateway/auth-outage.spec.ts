import { ServiceUnavailableException, UnauthorizedException } from '@nestjs/common';
import type { Authenticate, RealtimeOptions } from 'nestjs-realtime';
import { RealtimeClient } from 'nestjs-realtime/client';
import { expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { openLobby, type lobbyContract } from './lobby.js';
import { upgrade } from '../rig/sockets/upgrade-request.js';

const BEARER = { headers: { Authorization: 'Bearer token-of-ann' } };

/** An app whose identity provider can be down; `fault` is what `authenticate` then throws. */
async function openClub(options: RealtimeOptions = {}) {
  const provider: { fault: Error | undefined } = { fault: undefined };
  const authenticate: Authenticate = async ({ token }) => {
    if (provider.fault !== undefined) throw provider.fault;
    return token === undefined ? null : { userId: token, expiresAt: Date.now() + 60_000 };
  };
  return { ...(await openLobby({ authenticate, ...options })), provider };
}

const unreachable = () =>
  Object.assign(new TypeError('fetch failed'), {
    cause: Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }),
  });

it.each([
  ['a 503 of Nest', new ServiceUnavailableException()],
  ['an identity provider that cannot be reached', unreachable()],
  ['a programming error', new TypeError("Cannot read properties of undefined (reading 'sub')")],
])('an upgrade is answered with 503 and Retry-After after %s, and no hook sees it', async (_what, fault) => {
  const { app, metrics, provider, visits } = await openClub();
  provider.fault = fault;
  const { status, headers, body } = await upgrade(app.port, BEARER);
  expect([status, headers['retry-after'], body]).toEqual([503, '5', 'authentication is not available']);
  expect(metrics.upgradesRefused.of('auth_unavailable')).toBe(1);
  expect(visits.connected).toEqual([]);
});

it('without a token an outage is a 503 too, but an authenticate that needs a token leaves time for $auth', async () => {
  const { app, provider } = await openClub();
  provider.fault = unreachable();
  expect((await upgrade(app.port)).status).toBe(503);
  provider.fault = new TypeError("Cannot read properties of undefined (reading 'split')");
  const client = app.open('/lobby');
  await new Promise((resolve) => client.socket.once('open', resolve));
  provider.fault = undefined;
  client.send({ type: '$auth', payload: { token: 'ann' } });
  expect((await client.hello()).userId).toBe('ann');
});

it('an outage is logged once in 10 s, with its cause and without the token', async () => {
  const { app, log, provider } = await openClub();
  provider.fault = Object.assign(unreachable(), { message: 'fetch failed for token-of-ann' });
  await Promise.all(Array.from({ length: 20 }, () => upgrade(app.port, BEARER)));
  expect(log.of('error')).toHaveLength(1);
  expect(log.of('error')[0]).toMatch(
    'authenticate failed; its clients are told to retry error="fetch failed for [secret] (connect ECONNREFUSED 127.0.0.1:1)"',
  );
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + 10_000);
  onTestFinished(() => void vi.restoreAllMocks());
  await upgrade(app.port, BEARER);
  expect(log.of('error')[1]).toContain('suppressed=19');
  expect(log.text).not.toContain('token-of-ann');
});

it('a first $auth in an outage is UNAVAILABLE, and closes with 1013 and a retry time', async () => {
  const { app, provider, visits } = await openClub();
  const client = app.open('/lobby');
  await new Promise((resolve) => client.socket.once('open', resolve));
  provider.fault = new Error('database is away');
  await expect(client.request('$auth', { token: 'ann' })).rejects.toThrow(
    'UNAVAILABLE: authentication is not available',
  );
  expect(await client.closed).toEqual({ code: 1013, reason: 'retry=5000' });
  expect(visits.connected).toEqual([]);
});

it('a refresh in an outage keeps the connection until its token expires, then closes it with 1013', async () => {
  const { app, provider } = await openClub({ heartbeat: false });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: Date.now() });
  onTestFinished(() => void vi.useRealTimers());
  const client = await app.connect('/lobby', { token: 'ann' });
  provider.fault = new ServiceUnavailableException();
  await expect(client.request('$auth', { token: 'ann' })).rejects.toThrow('UNAVAILABLE');
  await vi.advanceTimersByTimeAsync(59_999);
  expect(await client.request('say', { text: 'a' })).toEqual({ text: 'a' });
  await vi.advanceTimersByTimeAsync(1);
  vi.useRealTimers();
  expect(await client.closed).toEqual({ code: 1013, reason: 'retry=5000' });
});

it('a refresh that is refused after an outage ends with 4401 when the token expires', async () => {
  const { app, provider } = await openClub({ heartbeat: false });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: Date.now() });
  onTestFinished(() => void vi.useRealTimers());
  const client = await app.connect('/lobby', { token: 'ann' });
  for (const fault of [new ServiceUnavailableException(), new UnauthorizedException()]) {
    provider.fault = fault;
    await client.request('$auth', { token: 'ann' }).catch(() => {});
  }
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
  expect((await client.closed).code).toBe(4401);
});

it.each(['before', 'after'])(
  'RealtimeClient survives an outage that begins %s it connects, and a revoked token still closes it',
  async (begin) => {
    const { app, provider, registry } = await openClub();
    // Shorten the client's minute to a second.
    const clock = {
      now: () => Date.now() * 60,
      setTimeout: (act: () => void, delayMs: number) => setTimeout(act, delayMs / 60),
      clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
    };
    const attempts: unknown[] = [];
    const client = new RealtimeClient<typeof lobbyContract>(`ws://127.0.0.1:${app.port}/lobby`, {
      token: () => (attempts.push(provider.fault), 'ann'),
      clock,
      WebSocket,
    });
    onTestFinished(() => client.close());
    const becomes = (status: string) =>
      new Promise<void>((resolve) => {
        const stop = client.onStateChange((state) => {
          if (state.status !== status) return;
          queueMicrotask(() => stop());
          resolve();
        });
      });
    if (begin === 'after') await client.connect();
    provider.fault = new Error('database is away');
    const isUp = becomes('connected');
    if (begin === 'after') for (const connection of registry) connection.close(1012);
    else client.connect().catch(() => {});
    while (attempts.filter(Boolean).length < 6) await new Promise(setImmediate);
    provider.fault = undefined;
    await isUp;
    const isClosed = becomes('closed');
    provider.fault = new UnauthorizedException();
    for (const connection of registry) connection.close(1012);
    await isClosed;
  },
);
