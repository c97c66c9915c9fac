import { afterEach, describe, expect, it } from 'vitest';
import { UnauthenticatedError } from '../../lib/client/index.js';
import { promisesSettled } from './manual-clock.js';
import { Testbed } from './testbed.js';

let bed: Testbed;
afterEach(() => {
  bed.client.close();
  expect(bed.clock.pending, 'timers that were left').toBe(0);
});

describe('a token', () => {
  it('is asked for at each attempt and said first', async () => {
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

  it('that is refused is fetched again at once, and a second refusal is the end', async () => {
    const asked: string[] = [];
    bed = new Testbed({ token: ({ reason }) => `token ${asked.push(reason)}` });
    const connecting = bed.client.connect();
    (await bed.sockets.newest()).end(4401, 'the token was refused');
    expect(bed.client.state).toMatchObject({ status: 'connecting', code: 4401, retryInMs: 250 });
    await bed.clock.advance(250);
    (await bed.sockets.newest()).end(4401, 'the token was refused');
    await expect(connecting).rejects.toMatchObject({ code: 4401 });
    expect(asked).toEqual(['connect', 'refused']);
    expect(await bed.opensWithin(60_000)).toBe(false);
  });

  it('that was good in between may be refused again', async () => {
    bed = new Testbed({ token: () => 't' });
    let socket = await bed.connected();
    for (let times = 0; times < 3; times++) {
      socket.end(4401, 'the token has expired');
      await bed.clock.advance(500);
      socket = await bed.sockets.newest();
      socket.accept();
      expect(bed.client.state.status).toBe('connected');
    }
  });

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

  it('that nobody can give closes the client', async () => {
    bed = new Testbed({ token: () => Promise.reject(new UnauthenticatedError('signed out')) });
    await expect(bed.client.connect()).rejects.toMatchObject({ code: 4401, reason: 'signed out' });
  });

  it('is not said when there is none', async () => {
    bed = new Testbed({ token: () => null });
    expect((await bed.connected()).sent).toEqual([]);
  });
});

describe('the session', () => {
  it('is asked for again, with room for positions, and waited for', async () => {
    bed = new Testbed();
    (await bed.connected({ sessionId: 'mine' })).end();
    await bed.clock.advance(5_000);
    const socket = await bed.sockets.newest();
    socket.open();
    expect(socket.sent).toEqual([
      { type: '$resume', id: 'resume', payload: { sessionId: 'mine', positions: {} } },
    ]);
    socket.hello({ sessionId: 'fresh' });
    expect(bed.client.state.status).toBe('reconnecting');
    socket.say('$reply', { sessionId: 'mine', recovered: true }, 'resume');
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
    socket.say(type, payload, 'resume');
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
