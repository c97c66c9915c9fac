import { afterEach, describe, expect, it } from 'vitest';
import { UnauthenticatedError, type RequestError, type TokenRequest } from '../../lib/client/index.js';
import { promisesSettled } from '../rig/clock/manual-clock.js';
import type { SocketDouble } from './socket-double.js';
import { Testbed } from './testbed.js';

const LIFE_MS = 100_000;

let bed: Testbed;
let reasons: TokenRequest['reason'][];
afterEach(() => {
  bed.client.close();
  expect(bed.clock.pending, 'timers that were left').toBe(0);
});

/** A connection whose token lasts `LIFE_MS`; `token` gives the next ones. */
async function connected(
  token: (asked: number) => string | null | Promise<string> = (asked) => `token ${asked}`,
  expiresInMs: unknown = LIFE_MS,
): Promise<SocketDouble> {
  reasons = [];
  bed = new Testbed({ token: ({ reason }) => token(reasons.push(reason)) });
  return bed.connected({ expiresInMs, heartbeat: null });
}

const renewals = (socket: SocketDouble) => socket.ofType('$auth').slice(1);
const renewed = (socket: SocketDouble, expiresInMs: number | null = LIFE_MS) =>
  socket.deliver('$reply', { expiresInMs }, renewals(socket).at(-1)?.id);

describe('a token that expires', () => {
  it('is renewed over the connection, time and again', async () => {
    const socket = await connected();
    for (let times = 1; times <= 5; times++) {
      await bed.clock.advance(72_499);
      expect(renewals(socket)).toHaveLength(times - 1);
      await bed.clock.advance(1);
      expect(renewals(socket).at(-1)).toMatchObject({
        id: '$auth',
        payload: { token: `token ${times + 1}` },
      });
      renewed(socket);
    }
    expect(reasons).toEqual(['connect', ...Array<string>(5).fill('expiring')]);
    expect([bed.sockets.count, bed.statuses]).toEqual([1, ['connecting', 'connected']]);
  });

  it('is renewed by 10,000 clients over a quarter of its life', async () => {
    const times: number[] = [];
    for (const chance of [0, 0.25, 0.5, 0.75, 0.9999]) {
      const socket = await connected();
      bed.client.close();
      bed = new Testbed({ token: () => 't', random: () => chance });
      const started = bed.clock.now();
      const other = await bed.connected({ expiresInMs: LIFE_MS, heartbeat: null });
      while (renewals(other).length === 0) await bed.clock.advance(100);
      times.push(Math.round((bed.clock.now() - started) / 1_000));
      expect(renewals(socket)).toEqual([]);
      bed.client.close();
    }
    expect(times).toEqual([60, 66, 73, 79, 85]);
  });

  it.each([null, undefined, 'soon'])('not, with expiresInMs %j, is left alone', async (expiresInMs) => {
    const socket = await connected(undefined, expiresInMs === undefined ? {} : expiresInMs);
    await bed.clock.advance(10 * LIFE_MS);
    expect(renewals(socket)).toEqual([]);
  });

  it('any more after a renewal is left alone', async () => {
    const socket = await connected();
    await bed.clock.advance(72_500);
    renewed(socket, null);
    await bed.clock.advance(10 * LIFE_MS);
    expect(renewals(socket)).toHaveLength(1);
  });

  it('is not renewed without the option', async () => {
    bed = new Testbed();
    const socket = await bed.connected({ expiresInMs: LIFE_MS, heartbeat: null });
    await bed.clock.advance(LIFE_MS);
    expect(socket.sent).toEqual([]);
  });

  it('is renewed on the connection that is used, after a handover and after a loss', async () => {
    const old = await connected();
    old.deliver('$goaway', { reconnectAfterMs: 1_000 });
    await bed.clock.advance(1_000);
    const next = await bed.sockets.newest();
    next.accept({ sessionId: 's1', expiresInMs: LIFE_MS, heartbeat: null });
    await bed.clock.advance(72_500);
    expect([renewals(old).length, renewals(next).length]).toEqual([0, 1]);
    next.end();
    await bed.clock.advance(5_000);
    const last = await bed.sockets.newest();
    last.accept({ sessionId: 's1', expiresInMs: LIFE_MS, heartbeat: null });
    await bed.clock.advance(72_500);
    expect(renewals(last)).toHaveLength(1);
  });
});

describe('a renewal that fails', () => {
  it('is tried again with back-off until the token expires, and then by the next attempt', async () => {
    const errors: RequestError[] = [];
    const socket = await connected((asked) => (asked === 1 ? 't' : Promise.reject(new Error('no network'))));
    bed.client.onError((error) => errors.push(error));
    await bed.clock.advance(10 * LIFE_MS);
    expect(reasons.length).toBeGreaterThan(4);
    expect(reasons.length).toBeLessThan(12);
    expect(errors[0]).toMatchObject({ code: 'TOKEN', message: 'Error: no network' });
    expect(renewals(socket)).toEqual([]);
    expect(bed.client.state.status).toBe('connected');
    socket.end(4401, 'the token has expired');
    await bed.clock.advance(500);
    expect(reasons.at(-1)).toBe('refused');
  });

  it('for a while succeeds after it', async () => {
    const socket = await connected((asked) =>
      asked < 4 && asked > 1 ? Promise.reject(new Error('no')) : 't',
    );
    await bed.clock.advance(85_000);
    expect(renewals(socket)).toHaveLength(1);
    expect(reasons).toEqual(['connect', 'expiring', 'expiring', 'expiring']);
  });

  it('at the server requests another token, and is reported to onError', async () => {
    const codes: string[] = [];
    const socket = await connected();
    bed.client.onError(({ code }) => codes.push(code));
    await bed.clock.advance(72_500);
    socket.deliver('$error', { code: 'UNAUTHENTICATED', message: 'the token was refused' }, '$auth');
    await bed.clock.advance(1_000);
    expect(renewals(socket).map(({ payload }) => payload)).toEqual([
      { token: 'token 2' },
      { token: 'token 3' },
    ]);
    expect([reasons, codes]).toEqual([['connect', 'expiring', 'refused'], ['UNAUTHENTICATED']]);
  });

  it.each([
    ['the token never comes', () => new Promise<string>(() => undefined), 0],
    ['there is none', () => null, 0],
    ['the server does not answer', () => 'another', 2],
  ])('since %s is tried again', async (_, give, sent) => {
    const socket = await connected((asked) => (asked === 1 ? 't' : give()));
    await bed.clock.advance(72_500 + 11_000);
    expect(reasons.length).toBeGreaterThan(2);
    expect(renewals(socket)).toHaveLength(sent);
  });

  it('since the token is no younger is no flood', async () => {
    const socket = await connected(() => 't');
    const expiresAt = bed.clock.now() + LIFE_MS;
    await bed.clock.advance(72_500);
    for (let seconds = 0; seconds < 28; seconds++) {
      renewed(socket, expiresAt - bed.clock.now());
      await bed.clock.advance(1_000);
    }
    expect(renewals(socket).length).toBeLessThan(8);
  });

  it('after a sign-out is not tried again, and the connection lasts as long as the token', async () => {
    await connected((asked) => {
      if (asked > 1) throw new UnauthenticatedError('signed out');
      return 't';
    });
    await bed.clock.advance(LIFE_MS);
    expect(reasons).toEqual(['connect', 'expiring']);
    expect(bed.client.state.status).toBe('connected');
  });

  it('with its connection sends its late token nowhere', async () => {
    let give: (token: string) => void = () => undefined;
    const socket = await connected((asked) =>
      asked === 2 ? new Promise((resolve) => (give = resolve)) : 't',
    );
    await bed.clock.advance(72_500);
    socket.end();
    give('late');
    await promisesSettled();
    expect(renewals(socket)).toEqual([]);
  });

  it('does not flood a server whose tokens last no time', async () => {
    const socket = await connected(undefined, 1);
    await bed.clock.advance(10_000);
    expect(renewals(socket).length).toBeLessThan(3);
  });
});
