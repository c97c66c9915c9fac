import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SocketDouble } from './socket-double.js';
import { Testbed } from './testbed.js';

let bed: Testbed;
let old: SocketDouble;
let received: unknown[];
beforeEach(async () => {
  bed = new Testbed();
  old = await bed.connected({ connectionId: 'old', sessionId: 'mine' });
  received = [];
  bed.client.on('news', (news) => received.push((news as { n: number }).n));
});
afterEach(() => {
  bed.client.close();
  expect(bed.clock.pending, 'timers that were left').toBe(0);
});

/** `$goaway` has been said and the next connection is open, but not greeted yet. */
async function next(reconnectAfterMs = 3_000): Promise<SocketDouble> {
  old.deliver('$goaway', { reconnectAfterMs });
  await bed.clock.advance(reconnectAfterMs);
  const socket = await bed.sockets.newest();
  socket.open();
  return socket;
}

const news = (socket: SocketDouble, ...numbers: number[]) =>
  numbers.forEach((n) => socket.deliver('news', { n }));

describe('$goaway', () => {
  it('opens the next connection at the advised time, resumes on it, and was never away', async () => {
    old.deliver('$goaway', { reconnectAfterMs: 3_000 });
    expect(await bed.opensWithin(2_999)).toBe(false);
    expect(await bed.opensWithin(1)).toBe(true);
    const socket = await bed.sockets.newest();
    socket.open();
    expect(socket.ofType('$resume')[0]?.payload).toMatchObject({ sessionId: 'mine' });
    expect(bed.client.state).toMatchObject({ status: 'connected', connectionId: 'old' });
    socket.hello({ connectionId: 'new', sessionId: 'mine' });
    expect(bed.client.state).toMatchObject({ status: 'connected', connectionId: 'new' });
    expect(bed.statuses).toEqual(['connecting', 'connected', 'connected']);
  });

  it('sent twice opens one connection', async () => {
    old.deliver('$goaway', { reconnectAfterMs: 1_000 });
    old.deliver('$goaway', { reconnectAfterMs: 1_000 });
    await bed.clock.advance(1_000);
    (await bed.sockets.newest()).accept({ sessionId: 'mine' });
    expect(bed.sockets.count).toBe(2);
  });

  it('lets messages go through the old connection until its time, and then wait for the new one', async () => {
    old.deliver('$goaway', { reconnectAfterMs: 3_000 });
    void bed.client.send('say', { n: 1 });
    await bed.clock.advance(3_000);
    const socket = await bed.sockets.newest();
    void bed.client.send('say', { n: 2 });
    expect(await bed.client.send('say', { n: 3 }, { whileAway: 'drop' })).toBe('dropped');
    expect(old.ofType('say').map(({ payload }) => payload)).toEqual([{ n: 1 }]);
    socket.accept({ sessionId: 'mine' });
    expect(socket.ofType('say').map(({ payload }) => payload)).toEqual([{ n: 2 }]);
  });

  it('keeps to whileAway from its time on, as long as the next connection fails', async () => {
    const refused = await next();
    refused.end(1006);
    const whileAway = { queue: { max: 1, ttlMs: 200 } };
    const [expired, overflow] = [1, 2].map((n) => bed.client.send('say', { n }, { whileAway }));
    expect(await overflow).toBe('overflow');
    await bed.clock.advance(200);
    expect(await expired).toBe('expired');
    expect(bed.client.state.status).toBe('connected');
  });

  it('sends requests again that came too late for a server that is restarting', async () => {
    const pending = bed.client.request('ask', {});
    const socket = await next(100);
    old.deliver(
      '$error',
      { code: 'UNAVAILABLE', message: 'the server is restarting' },
      old.ofType('ask')[0]?.id,
    );
    socket.hello({ sessionId: 'mine' });
    expect(socket.ofType('ask')).toEqual(old.ofType('ask'));
    socket.deliver('$reply', { ok: true }, socket.ofType('ask')[0]?.id);
    expect(await pending).toEqual({ ok: true });
  });

  it("sends nothing twice with retry: 'never', not even what the server refused as too late", async () => {
    const pending = bed.client.request('ask', {}, { retry: 'never' });
    const parts = bed.client.stream('list', {});
    const socket = await next(100);
    for (const type of ['ask', 'list']) {
      old.deliver(
        '$error',
        { code: 'UNAVAILABLE', message: 'the server is restarting' },
        old.ofType(type)[0]?.id,
      );
    }
    await expect(pending).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(parts.next()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    socket.hello({ sessionId: 'mine' });
    expect([...socket.ofType('ask'), ...socket.ofType('list')]).toEqual([]);
  });

  it.each([undefined, null, 'soon', {}, -5])(
    'with the advice %j opens the next connection at once',
    async (advice) => {
      old.deliver('$goaway', advice === null ? null : { reconnectAfterMs: advice });
      expect(await bed.opensWithin(0)).toBe(true);
    },
  );

  it.each(['Infinity', 1e300])(
    'with the advice %j never waits for longer than a timer can',
    async (advice) => {
      old.deliver('$goaway', { reconnectAfterMs: advice });
      old.end(1012);
      expect(bed.client.state).toMatchObject({ status: 'reconnecting', retryInMs: 0x7fffffff });
    },
  );

  it('is survived when the old connection ends first: the advised time still holds', async () => {
    old.deliver('$goaway', { reconnectAfterMs: 3_000 });
    await bed.clock.advance(1_000);
    old.end(1012, 'the server is restarting');
    expect(bed.client.state).toMatchObject({ status: 'reconnecting', code: 1012, retryInMs: 2_000 });
    expect(await bed.opensWithin(2_000)).toBe(true);
  });

  it('goes on trying while the old connection still works', async () => {
    const refused = await next();
    refused.end(1006);
    expect(bed.client.state.status).toBe('connected');
    expect(await bed.opensWithin(1_500)).toBe(true);
    (await bed.sockets.newest()).accept({ connectionId: 'new', sessionId: 'mine' });
    expect(bed.client.state).toMatchObject({ connectionId: 'new' });
  });

  it('does not hinder a final close', async () => {
    old.deliver('$goaway', { reconnectAfterMs: 3_000 });
    old.end(4500, 'disconnected by the server');
    expect(bed.client.state).toMatchObject({ status: 'closed', code: 4500 });
    expect(await bed.opensWithin(10_000)).toBe(false);
  });
});

describe('the old connection', () => {
  it('is left once everything it had written has arrived', async () => {
    const socket = await next();
    socket.hello({ sessionId: 'mine' });
    await bed.clock.advance(1_000);
    expect(old.ofType('ping')).toEqual([{ type: 'ping', id: 'ping' }]);
    expect(old.left).toBeUndefined();
    news(old, 1);
    old.deliver('pong', undefined, 'ping');
    expect(old.left).toEqual({ code: 1000, reason: 'moved' });
    expect(received).toEqual([1]);
  });

  it('is kept for the replies it still owes', async () => {
    const pending = bed.client.request('ask', {});
    const socket = await next(100);
    socket.hello({ sessionId: 'mine' });
    await bed.clock.advance(1_000);
    old.deliver('pong', undefined, 'ping');
    expect(old.left).toBeUndefined();
    expect(socket.ofType('ask')).toEqual([]);
    old.deliver('$reply', { ok: true }, old.ofType('ask')[0]?.id);
    expect(await pending).toEqual({ ok: true });
    expect(old.left).toBeDefined();
  });

  it('that ends while replies are owed has its requests sent on the new one, once', async () => {
    const pending = bed.client.request('ask', {});
    const socket = await next(100);
    socket.hello({ sessionId: 'mine' });
    old.end(1012);
    expect(socket.ofType('ask')).toEqual(old.ofType('ask'));
    socket.deliver('$reply', { ok: true }, socket.ofType('ask')[0]?.id);
    expect(await pending).toEqual({ ok: true });
  });

  it('is left after 10 s whatever it owes', async () => {
    const pending = bed.client.request('ask', {}, { timeoutMs: false });
    const socket = await next(100);
    socket.hello({ sessionId: 'mine', heartbeat: null });
    await bed.clock.advance(11_000);
    expect(old.left).toBeDefined();
    socket.deliver('$reply', { ok: true }, socket.ofType('ask')[0]?.id);
    expect(await pending).toEqual({ ok: true });
  });

  it('is left when the client closes', async () => {
    const socket = await next();
    socket.hello({ sessionId: 'mine' });
    bed.client.close();
    expect([old.left?.code, socket.left?.code]).toEqual([1000, 1000]);
  });
});

describe('messages that both connections bring', () => {
  it('are delivered once, whichever delivers first', async () => {
    const socket = await next();
    news(old, 1);
    socket.hello({ sessionId: 'mine' });
    news(socket, 1, 2);
    news(old, 2, 3);
    news(socket, 3, 4);
    expect(received).toEqual([1, 2, 3, 4]);
  });

  it('and were sent twice are delivered twice', async () => {
    const socket = await next();
    socket.hello({ sessionId: 'mine' });
    news(old, 7, 7);
    news(socket, 7, 7, 7);
    news(old, 7);
    expect(received).toEqual([7, 7, 7]);
  });

  it('are recognised for a second after the old connection has ended', async () => {
    const socket = await next();
    socket.hello({ sessionId: 'mine' });
    news(old, 1, 2);
    old.end(1012);
    await bed.clock.advance(999);
    news(socket, 1);
    await bed.clock.advance(1);
    news(socket, 2);
    expect(received).toEqual([1, 2, 2]);
  });

  it('that only the old one delivered do not suppress an identical one of the new connection', async () => {
    const socket = await next();
    news(old, 1);
    await bed.clock.advance(500);
    socket.hello({ sessionId: 'mine' });
    await bed.clock.advance(600);
    news(socket, 1);
    expect(received).toEqual([1, 1]);
  });
});
