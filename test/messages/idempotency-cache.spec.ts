import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClientFrame } from '../../lib/protocol/envelope.js';
import { Client, Desk, TTL_MS } from './idempotency-desk.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

describe('a repeated key', () => {
  it('gets the first reply', () => {
    const desk = new Desk();
    const client = desk.connect('s');
    desk.answer(desk.say(client, 'k'), 7);
    expect(desk.say(client, 'k', 9)).toBeUndefined();
    expect(client.sent).toEqual([{ type: '$reply', id: 9, payload: 7 }]);
  });

  it('waits for the reply while the first message runs, on another connection of the session too', () => {
    const desk = new Desk();
    const client = desk.connect('s');
    const running = desk.say(client, 'k', 1);
    desk.disconnect(client);
    const again = desk.connect('s');
    expect(desk.say(again, 'k', 2)).toBeUndefined();
    expect(again.sent).toEqual([]);
    desk.answer(running, 7);
    expect(again.sent).toEqual([{ type: '$reply', id: 2, payload: 7 }]);
    expect(desk.cache.counts.running).toBe(0);
  });

  it.each([
    ['another session', 't', undefined],
    ['another user', 's', 'bob'],
  ])('of %s is another message', (_what, sessionId, userId) => {
    const desk = new Desk();
    desk.answer(desk.say(desk.connect('s', 'ann'), 'k'));
    expect(desk.say(desk.connect(sessionId, userId), 'k')).toBeDefined();
  });

  it('is not mistaken where sessions, keys and users hold spaces', () => {
    const desk = new Desk();
    desk.answer(desk.say(desk.connect('s', 'c'), 'a b'), 1);
    const other = desk.connect('s', 'b c');
    expect(desk.say(other, 'a')).toBeDefined();
    expect(other.sent).toEqual([]);
  });

  it('is refused with CONFLICT when the first message turns out to have a stream as its reply', () => {
    const desk = new Desk();
    const client = desk.connect('s');
    const running = desk.say(client, 'k', 1) as ClientFrame;
    desk.say(client, 'k', 2);
    desk.cache.abandon(running);
    expect(client.sent).toMatchObject([{ type: '$error', id: 2, payload: { code: 'CONFLICT' } }]);
    expect(desk.cache.counts).toMatchObject({ replies: 0, running: 0 });
  });

  it('is refused with RATE_LIMITED when eight wait for the same reply; closed connections do not count', () => {
    const desk = new Desk();
    const running = desk.say(desk.connect('s'), 'k');
    for (let i = 0; i < 20; i++) {
      const gone = desk.connect('s');
      desk.say(gone, 'k');
      desk.disconnect(gone);
    }
    const client = desk.connect('s');
    for (let id = 1; id <= 9; id++) desk.say(client, 'k', id);
    expect(client.sent).toMatchObject([{ type: '$error', id: 9, payload: { code: 'RATE_LIMITED' } }]);
    desk.answer(running);
    expect(client.sent).toHaveLength(9);
  });

  it('is run once however long the handler takes and however many others get a reply meanwhile', () => {
    const desk = new Desk({ maxAnswers: 10, maxBytes: 5_000 });
    const client = desk.connect('s');
    const running = desk.say(client, 'k', 1);
    for (let i = 0; i < 50; i++) {
      desk.chat(desk.connect(`other ${i}`), 3);
      vi.advanceTimersByTime(TTL_MS);
      desk.disconnect(desk.connect(`short ${i}`));
    }
    expect(desk.say(client, 'k', 2)).toBeUndefined();
    desk.answer(running, 7);
    expect(client.sent).toEqual([{ type: '$reply', id: 2, payload: 7 }]);
  });
});

describe('remembers', () => {
  it('a session that is connected or has ended less than ttlMs ago, and no other', () => {
    const desk = new Desk();
    const client = desk.connect('s', 'ann');
    expect(desk.cache.remembers('s', 'ann')).toBe(true);
    desk.chat(client, 1);
    vi.advanceTimersByTime(10 * TTL_MS);
    desk.disconnect(client);
    vi.advanceTimersByTime(TTL_MS - 1);
    expect([desk.cache.remembers('s', 'ann'), desk.cache.remembers('s', 'bob')]).toEqual([true, false]);
    expect(desk.cache.remembers('made up', 'ann')).toBe(false);
    vi.advanceTimersByTime(1);
    expect(desk.cache.remembers('s', 'ann')).toBe(false);
  });

  it('no session whose replies were dropped for those of others, whether it is connected or not', () => {
    const desk = new Desk({ maxAnswers: 8 });
    const [here, gone] = [desk.connect('here'), desk.connect('gone')];
    desk.chat(here, 1);
    desk.chat(gone, 1);
    desk.disconnect(gone);
    for (let i = 0; i < 4; i++) desk.chat(desk.connect(`other ${i}`), 2);
    expect(desk.cache.counts.replies).toBe(8);
    expect([desk.cache.remembers('here', undefined), desk.cache.remembers('gone', undefined)]).toEqual([
      false,
      false,
    ]);
    expect(desk.cache.remembers('other 3', undefined)).toBe(true);
    vi.advanceTimersByTime(TTL_MS);
    expect(desk.cache.remembers('here', undefined)).toBe(true);
  });

  it('no session that had more than a quarter of all replies; the others keep theirs', () => {
    const desk = new Desk({ maxAnswers: 100 });
    desk.chat(desk.connect('calm'), 1);
    desk.chat(desk.connect('greedy'), 1_000);
    expect([desk.cache.remembers('calm', undefined), desk.cache.remembers('greedy', undefined)]).toEqual([
      true,
      false,
    ]);
  });

  it('every reply of the ttlMs before the end of a session that it reports', () => {
    const desk = new Desk({ maxAnswers: 200, maxBytes: 60_000 });
    let seed = 1;
    const random = (below: number) => (seed = (seed * 48_271) % 0x7fffffff) % below;
    const said = new Map<Client, { key: string; at: number }[]>();
    const gone = new Map<Client, { key: string; at: number }[]>();
    const ended: { client: Client; at: number }[] = [];
    const verdicts = { yes: 0, no: 0 };
    for (let step = 0; step < 20_000; step++) {
      const open = [...said.keys()];
      if (open.length < 40) said.set(desk.connect(`s${step}`), []);
      const client = open[random(random(5) === 0 ? open.length || 1 : 3)];
      if (client === undefined) continue;
      const key = `k${step}`;
      desk.answer(desk.say(client, key));
      said.get(client)?.push({ key, at: performance.now() });
      if (random(40) === 0) {
        const goes = open[random(open.length)] as Client;
        desk.disconnect(goes);
        ended.push({ client: goes, at: performance.now() });
        const back = ended[random(ended.length)] ?? { client: goes, at: 0 };
        const isRemembered = desk.cache.remembers(back.client.sessionId, undefined);
        verdicts[isRemembered ? 'yes' : 'no']++;
        for (const message of isRemembered ? (gone.get(back.client) ?? said.get(back.client) ?? []) : []) {
          if (message.at <= back.at - TTL_MS) continue;
          expect(desk.say(back.client, message.key)).toBeUndefined();
        }
        ended.splice(0, Math.max(0, ended.length - 10));
        gone.set(goes, said.get(goes) ?? []);
        said.delete(goes);
      }
      vi.advanceTimersByTime(random(10));
    }
    expect(verdicts.yes).toBeGreaterThan(50);
    expect(verdicts.no).toBeGreaterThan(50);
  });
});

describe('what is held', () => {
  it('is bounded by count and bytes', () => {
    const desk = new Desk({ maxAnswers: 50, maxBytes: 20_000 });
    for (let i = 0; i < 500; i++) {
      const client = desk.connect(`s${i}`);
      const frame = desk.say(client, 'k') as ClientFrame;
      desk.cache.settle(frame, { type: '$reply', payload: JSON.stringify('x'.repeat(i)) });
      desk.disconnect(client);
      const { replies, bytes } = desk.cache.counts;
      expect(replies).toBeLessThanOrEqual(50);
      expect(bytes).toBeLessThanOrEqual(20_000);
    }
  });

  it('is gone after ttlMs with the sessions that ended', () => {
    const desk = new Desk();
    for (let i = 0; i < 10; i++) {
      const client = desk.connect(`s${i}`);
      desk.chat(client, 3);
      desk.disconnect(client);
    }
    vi.advanceTimersByTime(TTL_MS);
    desk.disconnect(desk.connect('last'));
    expect(desk.cache.counts).toEqual({ sessions: 1, replies: 0, bytes: 0, running: 0 });
  });

  it('of a connected session are the replies of the last ttlMs', () => {
    const desk = new Desk();
    const client = desk.connect('s');
    desk.chat(client, 5);
    vi.advanceTimersByTime(TTL_MS);
    desk.chat(client, 2);
    expect(desk.cache.counts.replies).toBe(2);
    expect(desk.cache.remembers('s', undefined)).toBe(true);
  });

  it('of 150,000 connections that come and go are 100,000 sessions', () => {
    const desk = new Desk();
    for (let i = 0; i < 150_000; i++) desk.cache.ended(`s${i}`, undefined);
    expect(desk.cache.counts.sessions).toBe(100_000);
    expect([desk.cache.remembers('s49999', undefined), desk.cache.remembers('s50000', undefined)]).toEqual([
      false,
      true,
    ]);
  });

  it('is nothing of a session that its only connection has left for another', () => {
    const desk = new Desk();
    desk.chat(desk.connect('kept'), 1);
    desk.answer(desk.say(new Client('before'), 'k'));
    desk.cache.left('before', undefined);
    desk.cache.left('never answered', undefined);
    vi.advanceTimersByTime(TTL_MS);
    desk.disconnect(desk.connect('last'));
    expect(desk.cache.counts).toMatchObject({ sessions: 2, replies: 1 });
  });

  it('is nothing where it is off', () => {
    const desk = new Desk(false);
    const client = desk.connect('s');
    expect([desk.say(client, 'k'), desk.say(client, 'k')]).not.toContain(undefined);
    desk.disconnect(client);
    expect(desk.cache.remembers('s', undefined)).toBe(false);
    expect(desk.cache.counts).toEqual({ sessions: 0, replies: 0, bytes: 0, running: 0 });
  });
});
