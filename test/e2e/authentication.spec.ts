import { RealtimeModule, type Handshake, type RealtimeOptions } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CapturedLog } from '../rig/process/captured-log.js';
import { BAD, ClubGateway, GOOD, connected, members } from './club.js';
import { ProcessFaults } from '../rig/process/process-faults.js';

let app: RealtimeTestApp;
let log: CapturedLog;
let faults: ProcessFaults;

async function start(options: RealtimeOptions): Promise<void> {
  log = new CapturedLog();
  app = await createRealtimeTestApp(
    { imports: [RealtimeModule.forRoot({ tokenCookie: 'session', ...options })], providers: [ClubGateway] },
    { logger: log },
  );
}

beforeEach(() => {
  connected.length = 0;
  faults = new ProcessFaults();
});
afterEach(async () => {
  await app.close();
  faults.stop();
  expect(faults.seen).toEqual([]);
  for (const token of [GOOD, BAD]) expect(log.text).not.toContain(token);
});

describe('a token in the handshake', () => {
  const carriers: [string, (token: string) => Parameters<RealtimeTestApp['open']>[1]][] = [
    ['Authorization', (token) => ({ token })],
    ['authorization in lower case', (token) => ({ headers: { authorization: `bearer ${token}` } })],
    ['the cookie', (token) => ({ headers: { cookie: `a=1; session=${token}; b=2` } })],
    ['a subprotocol', (token) => ({ protocols: ['realtime.v1', `bearer.${token}`] })],
  ];

  it.each(carriers)('is read from %s', async (_name, carry) => {
    await start(members);
    const client = app.open('/clubs/chess', carry(GOOD));
    expect(await client.hello()).toMatchObject({ userId: 'ann' });
    expect(await client.request('whoami')).toEqual({ text: 'ann' });
  });

  it.each(carriers)('is refused with 401 when it is wrong: %s', async (_name, carry) => {
    await start(members);
    const refused = app.open('/clubs/chess', carry(BAD));
    await expect(refused.hello()).rejects.toThrow('Unexpected server response: 401');
    expect(connected).toEqual([]);
  });

  it('is not read from a cookie unless tokenCookie names one', async () => {
    await start({ ...members, tokenCookie: false, authTimeoutMs: false });
    const refused = app.open('/clubs/chess', { headers: { cookie: `session=${GOOD}` } });
    await expect(refused.hello()).rejects.toThrow('401');
  });

  it('may be absent when authenticate accepts every client', async () => {
    await start({ authenticate: () => ({}) });
    expect(await app.open('/clubs/chess').hello()).toMatchObject({ userId: null });
  });
});

describe('authenticate', () => {
  it('gets the origin, params, query, cookies, ip and request', async () => {
    const seen: Handshake[] = [];
    await start({
      origins: ['https://club.test'],
      authenticate: (handshake) => {
        seen.push(handshake);
        return { userId: 'ann' };
      },
    });
    await app.connect('/clubs/chess?table=4', { headers: { cookie: 'a=1', origin: 'https://club.test' } });
    const [{ origin, params, query, cookies, ip, request, token }] = seen as [Handshake];
    expect({ origin, params, cookies, ip, token }).toEqual({
      origin: 'https://club.test',
      params: { club: 'chess' },
      cookies: { a: '1' },
      ip: '127.0.0.1',
      token: undefined,
    });
    expect(query.get('table')).toBe('4');
    expect(request.url).toBe('/clubs/chess?table=4');
  });

  const broken: [string, unknown, string][] = [
    ['a number as userId', { userId: 7 }, 'got number: convert it'],
    ['an empty userId', { userId: '' }, 'a string of 1 to 256 characters'],
    ['an expiresAt that is no number', { userId: 'ann', expiresAt: 'soon' }, 'multiply a JWT `exp` by 1000'],
    ['a string', 'ann', 'to return { userId, … } or null, got string'],
  ];
  it.each(broken)('that returns %s fails with 500, and the log says why', async (_name, identity, why) => {
    await start({ authenticate: () => identity as never });
    await expect(app.open('/clubs/chess', { token: GOOD }).hello()).rejects.toThrow('500');
    expect(log.of('error').join()).toContain(why);
  });

  it('that returns an identity that has expired is a refusal', async () => {
    await start({ authenticate: () => ({ userId: 'ann', expiresAt: Date.now() - 1 }) });
    await expect(app.open('/clubs/chess', { token: GOOD }).hello()).rejects.toThrow('401');
  });
});
