import { afterEach, describe, expect, it } from 'vitest';
import { UnauthenticatedError, type Connecting } from '../../lib/client/index.js';
import { promisesSettled } from '../rig/clock/manual-clock.js';
import { Testbed } from './testbed.js';

let bed: Testbed;
afterEach(() => {
  bed.client.close();
  expect(bed.clock.pending, 'timers that were left').toBe(0);
});

describe('a token', () => {
  it('is requested for each attempt and sent first', async () => {
    const asked: string[] = [];
    bed = new Testbed({ token: ({ reason }) => `token ${asked.push(reason)}` });
    const socket = await bed.connected();
    expect(socket.sent[0]).toEqual({ type: '$auth', payload: { token: 'token 1' } });
    socket.end();
    await bed.clock.advance(5_000);
    const next = await bed.sockets.newest();
    next.open();
    expect(next.sent[0]).toEqual({ type: '$auth', payload: { token: 'token 2' } });
    expect(asked).toEqual(['connect', 'connect']);
  });

  it('that is refused is fetched again at once, and then with back-off for as long as it is a new one', async () => {
    const asked: string[] = [];
    bed = new Testbed({ token: ({ reason }) => `token ${asked.push(reason)}` });
    const connecting = bed.client.connect();
    const waits: number[] = [];
    for (let times = 0; times < 20; times++) {
      (await bed.sockets.newest()).end(4401, 'the token was refused');
      const { retryInMs } = bed.client.state as Connecting;
      expect(bed.client.state).toMatchObject({ status: 'connecting', code: 4401 });
      waits.push(retryInMs);
      await bed.clock.advance(retryInMs);
    }
    expect(waits.slice(0, 4)).toEqual([250, 1_000, 1_500, 2_500]);
    expect(waits.at(-1)).toBe(10_500);
    (await bed.sockets.newest()).accept();
    await connecting;
    expect(asked).toEqual(['connect', ...Array<string>(20).fill('refused')]);
  });

  it('that is refused and given again closes the client without another attempt', async () => {
    const reasons: string[] = [];
    bed = new Testbed({ token: ({ reason }) => (reasons.push(reason), 'the same') });
    const connecting = bed.client.connect();
    (await bed.sockets.newest()).end(4401, 'the token was refused');
    await Promise.all([
      expect(connecting).rejects.toMatchObject({ code: 4401, reason: 'the token was refused' }),
      bed.clock.advance(250),
    ]);
    expect(reasons).toEqual(['connect', 'refused']);
    expect(await bed.opensWithin(60_000)).toBe(false);
  });

  it('that closed the client may be another one at the next connect()', async () => {
    let token = 'old';
    bed = new Testbed({ token: () => token });
    void bed.client.connect();
    (await bed.sockets.newest()).end(4401, 'the token was refused');
    await bed.clock.advance(250);
    expect(bed.client.state.status).toBe('closed');
    token = 'new';
    const socket = await bed.connected();
    expect(socket.sent).toEqual([{ type: '$auth', payload: { token: 'new' } }]);
  });

  it('is not what a client without the option is refused for: it comes back with back-off', async () => {
    bed = new Testbed();
    void bed.client.connect();
    for (let times = 0; times < 10; times++) {
      (await bed.sockets.newest()).end(4401);
      await bed.clock.advance((bed.client.state as Connecting).retryInMs);
    }
    (await bed.sockets.newest()).accept();
    expect(bed.client.state.status).toBe('connected');
  });

  it('that was accepted may be given again, but one that ends soon each time backs off', async () => {
    bed = new Testbed({ token: () => 't' });
    let socket = await bed.connected();
    const opened = bed.sockets.count;
    const end = bed.clock.now() + 60_000;
    while (bed.clock.now() < end) {
      socket.end(4401, 'the token has expired');
      await bed.clock.advance((bed.client.state as Connecting).retryInMs);
      socket = await bed.sockets.newest();
      socket.accept();
      expect(bed.client.state.status).toBe('connected');
    }
    expect(bed.sockets.count - opened).toBeLessThan(12);
  });

  it.each([1013, 1006, 1011])(
    'is not given up for an outage: closed with %i, the client comes back for hours',
    async (code) => {
      bed = new Testbed({ token: () => 't' });
      const connecting = bed.client.connect();
      for (let times = 0; times < 200; times++) {
        (await bed.sockets.newest()).end(code);
        await bed.clock.advance((bed.client.state as Connecting).retryInMs);
      }
      (await bed.sockets.newest()).accept();
      await connecting;
    },
  );

  it('that cannot be fetched is a failed attempt', async () => {
    let fails = true;
    bed = new Testbed({ token: () => (fails ? Promise.reject(new Error('no network')) : 't') });
    const connecting = bed.client.connect();
    await promisesSettled();
    expect(bed.client.state).toMatchObject({ status: 'connecting', attempt: 2, reason: 'Error: no network' });
    fails = false;
    await bed.clock.advance(1_000);
    (await bed.sockets.newest()).accept();
    await connecting;
  });

  it.each([
    ['4401', 4401],
    ['4408', 4408],
  ])('that is missing twice, the first time refused with %s, closes the client', async (_, code) => {
    const reasons: string[] = [];
    bed = new Testbed({ token: ({ reason }) => (reasons.push(reason), null) });
    const connecting = bed.client.connect();
    (await bed.sockets.newest()).end(code);
    await Promise.all([
      expect(connecting).rejects.toMatchObject({ code: 4401, reason: 'the token was refused' }),
      bed.clock.advance(1_000),
    ]);
    expect(reasons).toEqual(['connect', 'refused']);
    expect(await bed.opensWithin(60_000)).toBe(false);
  });

  it('that is missing after an accepted one has expired connects without a token once', async () => {
    let token: string | null = 't';
    bed = new Testbed({ token: () => token });
    const socket = await bed.connected();
    token = null;
    socket.end(4401, 'the token has expired');
    await bed.clock.advance(500);
    const next = await bed.sockets.newest();
    next.open();
    expect(next.ofType('$auth')).toEqual([]);
    next.end(4408);
    await bed.clock.advance(5_000);
    expect(bed.client.state).toMatchObject({ status: 'closed', code: 4401 });
  });

  it('that was sent and came too late for 4408 is sent again', async () => {
    bed = new Testbed({ token: () => 't' });
    const connecting = bed.client.connect();
    (await bed.sockets.newest()).end(4408);
    await bed.clock.advance(1_000);
    (await bed.sockets.newest()).accept();
    await connecting;
  });

  it('whose source throws an UnauthenticatedError closes the client', async () => {
    bed = new Testbed({ token: () => Promise.reject(new UnauthenticatedError('signed out')) });
    await expect(bed.client.connect()).rejects.toMatchObject({ code: 4401, reason: 'signed out' });
  });

  it('is not sent when there is none', async () => {
    bed = new Testbed({ token: () => null });
    expect((await bed.connected()).sent).toEqual([]);
  });
});

describe('the session', () => {
  it('is resumed, with positions, and waited for', async () => {
    bed = new Testbed();
    (await bed.connected({ sessionId: 'mine' })).end();
    await bed.clock.advance(5_000);
    const socket = await bed.sockets.newest();
    socket.open();
    expect(socket.sent).toEqual([
      {
        type: '$resume',
        id: '$resume',
        payload: { sessionId: 'mine', connectionIds: ['c1'], positions: {} },
      },
    ]);
    socket.hello({ sessionId: 'fresh' });
    expect(bed.client.state.status).toBe('reconnecting');
    socket.deliver('$reply', { sessionId: 'mine', recovered: true }, '$resume');
    expect(bed.client.state).toMatchObject({ status: 'connected', sessionId: 'mine', recovered: true });
  });

  it.each([
    ['answered', 'before $hello', '$reply', 'mine'],
    ['answered', 'after $hello', '$reply', 'mine'],
    ['refused', 'before $hello', '$error', 'fresh'],
    ['refused', 'after $hello', '$error', 'fresh'],
  ])('is settled when $resume is %s %s', async (_, when, type, sessionId) => {
    bed = new Testbed();
    (await bed.connected({ sessionId: 'mine' })).end();
    await bed.clock.advance(5_000);
    const socket = await bed.sockets.newest();
    const payload = type === '$reply' ? { sessionId: 'mine' } : { code: 'UNKNOWN_TYPE', message: '' };
    socket.open();
    if (when === 'after $hello') socket.hello({ sessionId: 'fresh' });
    socket.deliver(type, payload, '$resume');
    if (when === 'before $hello') socket.hello({ sessionId: 'fresh' });
    expect(bed.client.state).toMatchObject({ status: 'connected', sessionId });
  });

  it('is settled by a $hello that names it', async () => {
    bed = new Testbed();
    (await bed.connected({ sessionId: 'mine' })).end();
    await bed.clock.advance(5_000);
    (await bed.sockets.newest()).accept({ sessionId: 'mine' });
    expect(bed.client.state.status).toBe('connected');
  });

  it('is not waited for longer than connectTimeoutMs', async () => {
    bed = new Testbed();
    (await bed.connected({ sessionId: 'mine' })).end();
    await bed.clock.advance(5_000);
    (await bed.sockets.newest()).accept({ sessionId: 'fresh' });
    await bed.clock.advance(7_499);
    expect(bed.client.state.status).toBe('reconnecting');
    await bed.clock.advance(1);
    expect(bed.client.state.status).toBe('connected');
  });
});
