import type { RateLimitSettings, RealtimeOptions } from 'nestjs-realtime';
import { TestReplyError, type TestClient } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openLobby } from './lobby.js';

/** The replies to that many messages sent at once: the text, or the code of the error. */
async function repliesTo(client: TestClient, type: string, count: number, text = 'a'): Promise<string[]> {
  const answers = Array.from({ length: count }, () => client.request(type, { text }));
  return Promise.all(
    answers.map((answer) =>
      answer.then(
        () => 'ok',
        (error: unknown) => (error instanceof TestReplyError ? error.code : 'closed'),
      ),
    ),
  );
}

const times = (count: number, text: string) => Array.from({ length: count }, () => text);

async function limited(rateLimit: Partial<RateLimitSettings>, options: RealtimeOptions = {}) {
  const lobby = await openLobby({ rateLimit, heartbeat: false, ...options });
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  return { ...lobby, client: await lobby.app.connect('/lobby') };
}

describe('messages', () => {
  it('above the burst get RATE_LIMITED with their id, and are not handled', async () => {
    const { client, visits, metrics } = await limited({ burstMessages: 5, messagesPerSecond: 1 });
    expect(await repliesTo(client, 'say', 8)).toEqual([...times(5, 'ok'), ...times(3, 'RATE_LIMITED')]);
    expect(visits.messages).toHaveLength(5);
    expect(metrics.messagesRefused.of('RATE_LIMITED')).toBe(3);
  });

  it('are accepted again at messagesPerSecond, up to the burst', async () => {
    const { client } = await limited({ burstMessages: 5, messagesPerSecond: 2 });
    await repliesTo(client, 'say', 5);
    vi.advanceTimersByTime(1_000);
    expect(await repliesTo(client, 'say', 3)).toEqual(['ok', 'ok', 'RATE_LIMITED']);
    vi.advanceTimersByTime(3_600_000);
    expect(await repliesTo(client, 'say', 6)).toEqual([...times(5, 'ok'), 'RATE_LIMITED']);
  });

  it('cost what their contract declares', async () => {
    const { client } = await limited({ burstMessages: 25, messagesPerSecond: 1 });
    expect(await repliesTo(client, 'shout', 3)).toEqual(['ok', 'ok', 'RATE_LIMITED']);
    expect(await repliesTo(client, 'say', 6)).toEqual([...times(5, 'ok'), 'RATE_LIMITED']);
  });

  it('are counted per connection', async () => {
    const { app, client } = await limited({ burstMessages: 2, messagesPerSecond: 1 });
    const other = await app.connect('/lobby');
    expect(await repliesTo(client, 'say', 3)).toEqual(['ok', 'ok', 'RATE_LIMITED']);
    expect(await repliesTo(other, 'say', 3)).toEqual(['ok', 'ok', 'RATE_LIMITED']);
  });

  it('include invalid and unknown ones and pings', async () => {
    const { client } = await limited({ burstMessages: 4, messagesPerSecond: 1 });
    client.sendText('{');
    client.send({ type: 'ping' });
    client.send({ type: 'unknown' });
    client.socket.send(Buffer.from([1]));
    expect(await repliesTo(client, 'say', 1)).toEqual(['RATE_LIMITED']);
  });
});

it('above burstBytes are refused even below the burst, and accepted again at bytesPerSecond', async () => {
  const { client } = await limited({ burstBytes: 2_500, bytesPerSecond: 1_100 }, { maxPayloadBytes: 2_500 });
  const text = 'a'.repeat(1_000);
  expect(await repliesTo(client, 'say', 3, text)).toEqual(['ok', 'ok', 'RATE_LIMITED']);
  vi.advanceTimersByTime(1_000);
  expect(await repliesTo(client, 'say', 2, text)).toEqual(['ok', 'RATE_LIMITED']);
});

describe('a client that was refused maxRefusals times in a row', () => {
  it('is closed with 4429 and a retry time', async () => {
    const { client, visits, metrics } = await limited({
      burstMessages: 2,
      messagesPerSecond: 1,
      maxRefusals: 3,
    });
    const gone = visits.departure();
    const answers = await repliesTo(client, 'say', 10);
    expect(answers).toEqual([...times(2, 'ok'), ...times(3, 'RATE_LIMITED'), ...times(5, 'closed')]);
    expect(await client.closed).toEqual({ code: 4429, reason: 'retry=5000' });
    expect(await gone).toEqual({ code: 4429, reason: 'retry=5000' });
    expect(metrics.messagesRefused.of('RATE_LIMITED')).toBe(3);
    expect(metrics.connectionsClosed.of('4429')).toBe(1);
  });

  it('stays connected if it slowed down in between', async () => {
    const { client } = await limited({ burstMessages: 1, messagesPerSecond: 1, maxRefusals: 3 });
    await repliesTo(client, 'say', 1);
    for (let round = 0; round < 4; round++) {
      expect(await repliesTo(client, 'say', 2)).toEqual(times(2, 'RATE_LIMITED'));
      vi.advanceTimersByTime(1_000);
      expect(await repliesTo(client, 'say', 1)).toEqual(['ok']);
    }
  });
});

it('false limits nothing', async () => {
  const { app } = await openLobby({ rateLimit: false });
  const client = await app.connect('/lobby');
  expect(await repliesTo(client, 'shout', 6_000)).toEqual(times(6_000, 'ok'));
});
