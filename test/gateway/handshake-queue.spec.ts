import type { Authenticate, Gauge, RealtimeOptions } from 'nestjs-realtime';
import type { TestClient } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { Gate } from '../rig/clock/gate.js';
import { openLobby } from './lobby.js';
import { upgrade } from '../rig/sockets/upgrade-request.js';

const TOKEN = { headers: { Authorization: 'Bearer t' } };

/** An app whose `authenticate` returns for one client after another, when the test says so. */
async function slowLobby(handshakes: RealtimeOptions['handshakes'], options: RealtimeOptions = {}) {
  const calls: Gate[] = [];
  const arrivals: (() => void)[] = [];
  const authenticate: Authenticate = () => {
    const gate = new Gate();
    calls.push(gate);
    for (const arrive of arrivals.splice(0)) arrive();
    return gate.opened.then(() => ({ userId: 'ann' }));
  };
  const lobby = await openLobby({
    ...options,
    authenticate,
    ...(handshakes === undefined ? {} : { handshakes }),
  });
  /** Resolves when `authenticate` has been called that often. */
  const called = async (count: number) => {
    while (calls.length < count) await new Promise<void>((resolve) => arrivals.push(resolve));
  };
  /** Resolves when that many handshakes wait. */
  const waiting = async (count: number) => {
    const gauge = lobby.metrics.all.find(({ name }) => name === 'realtime_handshakes_waiting') as Gauge;
    while (gauge.samples()[0]?.value !== count) await new Promise(setImmediate);
  };
  return { ...lobby, calls, called, waiting };
}

it('maxConcurrent handshakes are authenticated at a time, the others in order', async () => {
  const { app, calls, called, waiting } = await slowLobby({ maxConcurrent: 2 });
  const responses = Array.from({ length: 5 }, () => upgrade(app.port, TOKEN));
  await waiting(3);
  expect(calls).toHaveLength(2);
  calls[0]?.open();
  await called(3);
  expect(calls).toHaveLength(3);
  for (let i = 1; i < 5; i++) {
    await called(i + 1);
    calls[i]?.open();
  }
  expect((await Promise.all(responses)).map(({ status }) => status)).toEqual([101, 101, 101, 101, 101]);
});

it('a client beyond maxWaiting gets 503 with Retry-After', async () => {
  const { app, calls, waiting, metrics } = await slowLobby({ maxConcurrent: 1, maxWaiting: 1 });
  const first = [upgrade(app.port, TOKEN)];
  await waiting(0);
  first.push(upgrade(app.port, TOKEN));
  await waiting(1);
  const { status, headers, body } = await upgrade(app.port, TOKEN);
  expect([status, body]).toEqual([503, 'too many handshakes']);
  expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(Number(headers['retry-after'])).toBeLessThanOrEqual(11);
  expect(metrics.upgradesRefused.of('handshake_queue')).toBe(1);
  calls[0]?.open();
  await first[0];
  calls[1]?.open();
  expect((await first[1])?.status).toBe(101);
});

it('a fifth of maxWaiting may be of one IP, so that it leaves the rest to others', async () => {
  const { app, calls, waiting, metrics } = await slowLobby(
    { maxConcurrent: 1, maxWaiting: 10 },
    { trustProxy: 'loopback' },
  );
  const from = (ip: string) => upgrade(app.port, { headers: { ...TOKEN.headers, 'X-Forwarded-For': ip } });
  const responses = [from('203.0.113.1')];
  await waiting(0);
  responses.push(from('203.0.113.1'), from('203.0.113.1'));
  await waiting(2);
  const { status, body, headers } = await from('203.0.113.1');
  expect([status, body, Number(headers['retry-after']) >= 1]).toEqual([429, 'too many handshakes', true]);
  expect(metrics.upgradesRefused.of('handshake_queue_per_ip')).toBe(1);
  responses.push(from('2001:db8::1'), from('2001:db8::2'));
  await waiting(4);
  expect((await from('2001:db8::3')).status).toBe(429);
  calls[0]?.open();
  await responses[0];
  // Its turn frees the place it waited at.
  await waiting(3);
  responses.push(from('203.0.113.1'));
  await waiting(4);
  await app.close();
  await Promise.all(responses);
});

it('a client that waits longer than maxWaitMs is refused, and authenticate is never called', async () => {
  const { app, calls } = await slowLobby({ maxConcurrent: 1, maxWaitMs: 20 });
  const first = upgrade(app.port, TOKEN);
  const others = await Promise.all([upgrade(app.port, TOKEN), upgrade(app.port, TOKEN)]);
  expect(others.map(({ status }) => status)).toEqual([503, 503]);
  expect(calls).toHaveLength(1);
  calls[0]?.open();
  expect((await first).status).toBe(101);
});

it('maxPerSecond admits a burst of its size and the next handshakes at that rate', async () => {
  const { app, called, calls } = await slowLobby({ maxPerSecond: 20 });
  const startedAt = performance.now();
  const responses = Array.from({ length: 25 }, () => upgrade(app.port, TOKEN));
  await called(20);
  const burst = performance.now() - startedAt;
  await called(25);
  const all = performance.now() - startedAt;
  // Five more at 20 per second are 250 ms; the first of them may have begun to wait before the burst was over.
  expect(all).toBeGreaterThan(240);
  expect(all).toBeGreaterThan(burst);
  for (const question of calls) question.open();
  expect((await Promise.all(responses)).every(({ status }) => status === 101)).toBe(true);
});

it('false authenticates all at once', async () => {
  const { app, called, calls } = await slowLobby(false);
  const responses = Array.from({ length: 250 }, () => upgrade(app.port, TOKEN));
  await called(250);
  for (const question of calls) question.open();
  expect((await Promise.all(responses)).every(({ status }) => status === 101)).toBe(true);
});

it('a drain refuses waiting and running handshakes, and calls no hook for them', async () => {
  const { app, calls, waiting, visits } = await slowLobby({ maxConcurrent: 1 });
  const running = upgrade(app.port, TOKEN);
  const waits = [upgrade(app.port, TOKEN), upgrade(app.port, TOKEN)];
  await waiting(2);
  const closing = app.close();
  expect((await Promise.all(waits)).map(({ status }) => status)).toEqual([503, 503]);
  calls[0]?.open();
  const { status, body, headers } = await running;
  expect([status, body, headers['retry-after']]).toEqual([503, 'the server is restarting', '1']);
  await closing;
  expect(visits.connected).toEqual([]);
});

describe('tokens by $auth', () => {
  const say = (client: TestClient, id: string) => client.send({ type: '$auth', id, payload: { token: 't' } });

  /** An app that authenticates by `$auth` only, one client at a time. */
  async function openQueue(handshakes: RealtimeOptions['handshakes']) {
    const gates: Gate[] = [];
    let running = 0;
    let most = 0;
    const lobby = await openLobby({
      handshakes: { maxConcurrent: 1, ...handshakes },
      authenticate: async ({ token }) => {
        if (token === undefined) return null;
        most = Math.max(most, ++running);
        const gate = new Gate();
        gates.push(gate);
        await gate.opened;
        running--;
        return { userId: 'ann', expiresAt: Date.now() + 60_000 };
      },
    });
    const gauge = lobby.metrics.all.find(({ name }) => name === 'realtime_handshakes_waiting') as Gauge;
    return {
      ...lobby,
      gates,
      most: () => most,
      called: async (count: number) => {
        while (gates.length < count) await new Promise(setImmediate);
      },
      waiting: async (count: number) => {
        while (gauge.samples()[0]?.value !== count) await new Promise(setImmediate);
      },
      open: async () => {
        const client = lobby.app.open('/lobby');
        await new Promise((resolve) => client.socket.once('open', resolve));
        return client;
      },
    };
  }

  it('wait in the same queue as the upgrade requests, for first tokens and refreshes', async () => {
    const { open, gates, called, waiting, most, app } = await openQueue({});
    const clients = [await open(), await open(), await open()] as const;
    say(clients[0], 'first');
    await called(1);
    say(clients[1], 'first');
    await waiting(1);
    const upgraded = upgrade(app.port, TOKEN);
    await waiting(2);
    gates[0]?.open();
    await clients[0].hello();
    await called(2);
    say(clients[0], 'fresh');
    await waiting(2);
    for (let i = 1; i < 4; i++) {
      await called(i + 1);
      gates[i]?.open();
    }
    await clients[1].hello();
    expect((await upgraded).status).toBe(101);
    await clients[0].reply('fresh');
    expect(most()).toBe(1);
  });

  it('beyond maxWaiting are UNAVAILABLE: a first token closes with 1013, a refresh changes nothing', async () => {
    const { open, gates, called, waiting } = await openQueue({ maxWaiting: 1 });
    const known = await open();
    say(known, 'first');
    await called(1);
    gates[0]?.open();
    await known.hello();
    const others = [await open(), await open(), await open()] as const;
    say(others[0], 'a');
    await called(2);
    say(others[1], 'a');
    await waiting(1);
    say(others[2], 'a');
    await expect(others[2].reply('a')).rejects.toThrow('UNAVAILABLE: too many handshakes');
    const { code, reason } = await others[2].closed;
    expect([code, reason]).toEqual([1013, expect.stringMatching(/^retry=\d+000$/)]);
    say(known, 'fresh');
    await expect(known.reply('fresh')).rejects.toThrow('UNAVAILABLE: too many handshakes');
    expect(await known.request('say', { text: 'still here' })).toEqual({ text: 'still here' });
    for (const i of [1, 2]) {
      await called(i + 1);
      gates[i]?.open();
    }
    await others[1].hello();
  });

  it('of clients that have gone leave their place in the queue at once', async () => {
    const { open, gates, called, waiting } = await openQueue({ maxWaitMs: 60_000 });
    const [first, gone] = [await open(), await open()];
    say(first, 'a');
    await called(1);
    say(gone, 'a');
    await waiting(1);
    gone.socket.terminate();
    await waiting(0);
    gates[0]?.open();
    await first.hello();
    expect(gates).toHaveLength(1);
  });

  it('of clients that disconnected while they waited are not authenticated', async () => {
    const { open, gates, called, waiting, app, metrics } = await openQueue({});
    const [first, gone] = [await open(), await open()];
    say(first, 'a');
    await called(1);
    say(gone, 'a');
    await waiting(1);
    gone.socket.terminate();
    while (metrics.connectionsClosed.total === 0) await new Promise(setImmediate);
    gates[0]?.open();
    await first.hello();
    const upgraded = upgrade(app.port, TOKEN);
    await called(2);
    gates[1]?.open();
    expect((await upgraded).status).toBe(101);
    expect(gates).toHaveLength(2);
  });
});
