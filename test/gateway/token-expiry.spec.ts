import type { RealtimeOptions } from 'nestjs-realtime';
import { afterEach, expect, it, vi } from 'vitest';
import { openLobby } from './lobby.js';

const DAY_MS = 86_400_000;

/** Accepts every client for that long. */
const expiresIn = (ms: number): RealtimeOptions => ({
  authenticate: () => ({ userId: 'ann', expiresAt: Date.now() + ms }),
  heartbeat: false,
});

function stopTheClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: Date.now() });
}
afterEach(() => void vi.useRealTimers());

it('an expired token closes its connection with 4401', async () => {
  const { app, visits } = await openLobby(expiresIn(60_000));
  stopTheClock();
  const client = await app.connect('/lobby');
  await vi.advanceTimersByTimeAsync(59_999);
  expect(visits.connected[0]?.isOpen).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
  expect(visits.connected[0]?.isOpen).toBe(false);
  vi.useRealTimers();
  expect(await client.closed).toEqual({ code: 4401, reason: 'the token has expired' });
});

it('a token that is valid for longer than the longest timeout of 24.8 days does not expire early', async () => {
  const { app, visits } = await openLobby(expiresIn(60 * DAY_MS));
  stopTheClock();
  const client = await app.connect('/lobby');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(visits.connected[0]?.isOpen).toBe(true);
  await vi.advanceTimersByTimeAsync(60 * DAY_MS - 1_001);
  expect(visits.connected[0]?.isOpen).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
  vi.useRealTimers();
  expect((await client.closed).code).toBe(4401);
});

it.each([8_640_000_000_000_001, Number.MAX_SAFE_INTEGER])(
  'an expiresAt of %d never fires',
  async (expiresAt) => {
    const { app, visits } = await openLobby({ authenticate: () => ({ expiresAt }), heartbeat: false });
    stopTheClock();
    await app.connect('/lobby');
    await vi.advanceTimersByTimeAsync(100 * DAY_MS);
    expect(visits.connected[0]?.isOpen).toBe(true);
  },
);

it('a connection whose identity does not expire stays open', async () => {
  const { app, visits } = await openLobby({ authenticate: () => ({ userId: 'ann' }), heartbeat: false });
  stopTheClock();
  await app.connect('/lobby');
  await vi.advanceTimersByTimeAsync(100 * DAY_MS);
  expect(visits.connected[0]?.isOpen).toBe(true);
});

it('a connection that closes before its token expires leaves no timer', async () => {
  const { app, visits } = await openLobby(expiresIn(60_000));
  stopTheClock();
  const before = vi.getTimerCount();
  const client = await app.connect('/lobby');
  const gone = new Promise((resolve) => (visits.onDisconnect = resolve));
  await client.close();
  await gone;
  expect(vi.getTimerCount()).toBe(before);
});
