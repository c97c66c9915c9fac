import { afterEach, describe, expect, it } from 'vitest';
import { ClosedError } from '../../lib/client/index.js';
import { promisesSettled } from '../rig/clock/manual-clock.js';
import { Testbed } from './testbed.js';

let bed: Testbed;
afterEach(() => {
  bed.client.close();
  expect(bed.clock.pending, 'timers that were left').toBe(0);
});

describe('the first connection', () => {
  it('is made by connect(), which resolves at $hello and not before', async () => {
    bed = new Testbed();
    expect(bed.client.state).toEqual({ status: 'idle' });
    let usable = false;
    const connecting = bed.client.connect().then(() => (usable = true));
    const socket = await bed.sockets.newest();
    socket.open();
    await promisesSettled();
    expect(usable).toBe(false);
    expect(bed.client.state).toMatchObject({ status: 'connecting', attempt: 1, retryInMs: 0 });
    socket.hello({ connectionId: 'c9', userId: 'ann' });
    await connecting;
    expect(bed.client.state).toEqual({
      status: 'connected',
      connectionId: 'c9',
      sessionId: 's1',
      userId: 'ann',
      recovered: false,
    });
  });

  it('is made by the first use, unless only connect() may', async () => {
    bed = new Testbed();
    bed.client.on('news', () => undefined);
    await promisesSettled();
    expect(bed.sockets.count).toBe(1);
    const shy = new Testbed({ autoConnect: false });
    shy.client.on('news', () => undefined);
    await promisesSettled();
    expect(shy.sockets.count).toBe(0);
  });

  it('offers the subprotocol and the address a function gives at each attempt', async () => {
    let attempts = 0;
    bed = new Testbed({}, async () => `ws://test/${++attempts}`);
    void bed.client.connect();
    const first = await bed.sockets.newest();
    expect([first.url, first.protocols]).toEqual(['ws://test/1', ['realtime.v1']]);
    first.end();
    await bed.clock.advance(1_000);
    expect((await bed.sockets.newest()).url).toBe('ws://test/2');
  });

  it('is tried again while it fails, and connect() goes on waiting', async () => {
    bed = new Testbed();
    const connecting = bed.client.connect();
    (await bed.sockets.newest()).end(1006, 'refused');
    expect(bed.client.state).toMatchObject({ status: 'connecting', code: 1006, attempt: 2, retryInMs: 750 });
    expect(await bed.opensWithin(749)).toBe(false);
    expect(await bed.opensWithin(1)).toBe(true);
    (await bed.sockets.newest()).accept();
    await connecting;
  });

  it('is given up after connectTimeoutMs, however far it came', async () => {
    bed = new Testbed({ connectTimeoutMs: 4_000 });
    void bed.client.connect();
    const stuck = await bed.sockets.newest();
    stuck.open();
    await bed.clock.advance(4_000);
    expect(stuck.left).toBeDefined();
    expect(bed.client.state).toMatchObject({ status: 'connecting', attempt: 2, reason: 'no $hello in time' });
    stuck.hello();
    expect(bed.client.state.status).toBe('connecting');
  });

  it('is given up when the token does not come in time', async () => {
    bed = new Testbed({ token: () => new Promise(() => undefined) });
    void bed.client.connect();
    await bed.clock.advance(10_000);
    expect(bed.client.state).toMatchObject({ attempt: 2, reason: 'no $hello in time' });
    expect(bed.sockets.count).toBe(0);
  });

  it('closes for an address that can never work', async () => {
    bed = new Testbed({}, 'nonsense');
    await expect(bed.client.connect()).rejects.toBeInstanceOf(ClosedError);
    expect(bed.client.state).toMatchObject({
      status: 'closed',
      reason: expect.stringContaining('Invalid URL'),
    });
  });
});

describe('a lost connection', () => {
  it('is retried at a random time within the spread, which the state has', async () => {
    bed = new Testbed();
    const socket = await bed.connected();
    bed.chance = 0.8;
    socket.end(1006, '');
    expect(bed.client.state).toEqual({
      status: 'reconnecting',
      code: 1006,
      reason: '',
      attempt: 2,
      retryInMs: 4_000,
      retryAt: bed.clock.now() + 4_000,
    });
    expect(await bed.opensWithin(3_999)).toBe(false);
    expect(await bed.opensWithin(1)).toBe(true);
    expect(bed.client.state).toMatchObject({ status: 'reconnecting', retryInMs: 0 });
    (await bed.sockets.newest()).accept();
    expect(bed.statuses).toEqual(['connecting', 'connected', 'reconnecting', 'reconnecting', 'connected']);
  });

  it('begins a new count of attempts only after 30 s', async () => {
    bed = new Testbed();
    let socket = await bed.connected({ heartbeat: null });
    await bed.clock.advance(29_999);
    socket.end();
    expect(bed.client.state).toMatchObject({ attempt: 2 });
    await bed.clock.advance(5_000);
    socket = await bed.sockets.newest();
    socket.accept({ heartbeat: null });
    await bed.clock.advance(30_000);
    socket.end();
    expect(bed.client.state).toMatchObject({ attempt: 1 });
  });

  it.each([1000, 1008, 1009, 4500, 4503, 4520])('is the end when the code is %i', async (code) => {
    bed = new Testbed();
    const socket = await bed.connected();
    socket.end(code, 'for good');
    expect(bed.client.state).toEqual({ status: 'closed', code, reason: 'for good' });
    expect(await bed.opensWithin(60_000)).toBe(false);
    expect(await bed.client.send('say', {})).toBe('closed');
    expect(bed.client.state.status).toBe('closed');
  });

  it.each([1001, 1006, 1011, 1012, 1013, 4000, 4408, 4413, 4429])(
    'is made again when the code is %i',
    async (code) => {
      bed = new Testbed();
      (await bed.connected()).end(code);
      expect(await bed.opensWithin(5_000)).toBe(true);
    },
  );

  it('obeys retry=<ms> in the reason, even when the page wakes up meanwhile', async () => {
    bed = new Testbed();
    bed.chance = 0;
    (await bed.connected()).end(1013, 'busy; retry=7000');
    expect(bed.client.state).toMatchObject({ retryInMs: 7_000 });
    bed.client.wake();
    expect(await bed.opensWithin(6_999)).toBe(false);
    expect(await bed.opensWithin(1)).toBe(true);
  });

  it('does not wait out the backoff when the page wakes up', async () => {
    bed = new Testbed();
    (await bed.connected()).end();
    expect(bed.client.state).toMatchObject({ retryInMs: 2_500 });
    bed.client.wake();
    expect(bed.client.state).toMatchObject({ retryInMs: 250 });
    expect(await bed.opensWithin(250)).toBe(true);
  });
});

describe('close()', () => {
  it('may be called twice, and rejects what still waits for a connection', async () => {
    bed = new Testbed();
    const connecting = bed.client.connect();
    const socket = await bed.connected();
    await connecting;
    const away = new Testbed();
    const waiting = away.client.connect();
    away.client.close();
    await expect(waiting).rejects.toThrow('The client is closed: 1000 closed by the client');
    bed.client.close();
    bed.client.close();
    expect(socket.left?.code).toBe(1000);
    expect(bed.statuses).toEqual(['connecting', 'connected', 'closed']);
    expect(bed.client.state).toEqual({ status: 'closed', code: 1000, reason: 'closed by the client' });
  });

  it('ends until connect(), which begins a new session with the listeners there are', async () => {
    bed = new Testbed();
    const received: unknown[] = [];
    bed.client.on('news', (news) => received.push(news));
    await bed.connected({ sessionId: 'mine' });
    bed.client.close();
    expect(await bed.opensWithin(60_000)).toBe(false);
    bed.states.length = 0;
    const socket = await bed.connected({ sessionId: 'other' });
    expect(socket.sent).toEqual([]);
    expect(bed.statuses).toEqual(['connecting', 'connected']);
    socket.deliver('news', { n: 1 });
    expect(received).toEqual([{ n: 1 }]);
    expect(await bed.client.send('say', {})).toBe('sent');
  });

  it('followed by connect() in a listener reports no state that is over', async () => {
    bed = new Testbed();
    const first = bed.client.onStateChange(({ status }) => {
      if (status === 'closed') void bed.client.connect();
    });
    const later: string[] = [];
    bed.client.onStateChange(({ status }) => later.push(status));
    (await bed.connected()).end(4500);
    first();
    expect(later).toEqual(['connecting', 'connected', 'connecting']);
    const waiting = bed.client.send('say', { n: 1 });
    const socket = await bed.connected();
    expect(await waiting).toBe('sent');
    expect(socket.ofType('say')).toHaveLength(1);
  });

  it('during an attempt opens nothing any more', async () => {
    bed = new Testbed({ token: async () => 't' });
    const connecting = bed.client.connect();
    bed.client.close();
    await expect(connecting).rejects.toBeInstanceOf(ClosedError);
    await promisesSettled();
    expect(bed.sockets.count).toBe(0);
  });
});
