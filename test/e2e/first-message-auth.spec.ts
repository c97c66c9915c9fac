import type { Server } from 'node:http';
import { firstValueFrom, Subject } from 'rxjs';
import { ConnectionRegistry, RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
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

/** Resolves when the server has seen its last socket close. */
async function emptied(server: Server): Promise<void> {
  const count = () =>
    new Promise<number>((resolve) => server.getConnections((_error, open) => resolve(open)));
  while ((await count()) > 0) await new Promise((resolve) => setImmediate(resolve));
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

describe('a client without a token', () => {
  const auth = (token: unknown, id?: string) => ({ type: '$auth', payload: { token }, ...(id && { id }) });

  it('is closed with 4408 when it does not send $auth in time', async () => {
    await start({ ...members, authTimeoutMs: 30 });
    const client = app.open('/clubs/chess');
    expect(await client.closed).toMatchObject({ code: 4408 });
    expect(client.frames).toEqual([]);
    expect(connected).toEqual([]);
  });

  it('is refused with 401 when authTimeoutMs is false', async () => {
    await start({ ...members, authTimeoutMs: false });
    await expect(app.open('/clubs/chess').hello()).rejects.toThrow('401');
  });

  it('is authenticated by $auth, and messages sent right after it wait and run', async () => {
    await start(members);
    const client = app.open('/clubs/chess');
    client.send(auth(GOOD, 'a'));
    client.send({ type: 'whoami', id: 1 });
    expect(await client.next()).toEqual({ type: '$reply', id: 'a', payload: { expiresInMs: null } });
    expect(await client.next()).toMatchObject({ type: '$hello', payload: { userId: 'ann' } });
    expect(await client.next()).toEqual({ type: '$reply', id: 1, payload: { text: 'ann' } });
  });

  it('gets UNAUTHENTICATED for a message before $auth, and may still authenticate', async () => {
    await start(members);
    const client = app.open('/clubs/chess');
    client.send({ type: 'whoami', id: 1 });
    client.send(auth(GOOD));
    expect(await client.next()).toMatchObject({
      type: '$error',
      id: 1,
      payload: { code: 'UNAUTHENTICATED' },
    });
    expect((await client.next()).type).toBe('$hello');
  });

  it('gets UNAUTHENTICATED and is closed with 4401 when the token is wrong', async () => {
    await start(members);
    for (const token of [BAD, 'another']) {
      const client = app.open('/clubs/chess');
      client.send(auth(token, 'a'));
      client.send({ type: 'whoami', id: 1 });
      expect(await client.next()).toEqual({
        type: '$error',
        id: 'a',
        payload: { code: 'UNAUTHENTICATED', message: 'the token was refused' },
      });
      expect(await client.closed).toEqual({ code: 4401, reason: 'the token was refused' });
      expect(client.frames).toEqual([]);
    }
    expect(connected).toEqual([]);
  });

  it.each([undefined, '', 7, null, {}, 'x'.repeat(8_193)])(
    'may retry after an $auth without a valid token: %#',
    async (token) => {
      await start(members);
      const client = app.open('/clubs/chess');
      client.send(auth(token, 'a'));
      client.send(auth(GOOD, 'b'));
      expect(await client.next()).toMatchObject({ id: 'a', payload: { code: 'VALIDATION_FAILED' } });
      expect(await client.next()).toEqual({ type: '$reply', id: 'b', payload: { expiresInMs: null } });
    },
  );

  it('cannot send $auth twice', async () => {
    await start(members);
    const client = app.open('/clubs/chess');
    client.send(auth(GOOD));
    client.send(auth(BAD, 'b'));
    const answers = [await client.next(), await client.next()];
    expect(answers.find(({ id }) => id === 'b')).toMatchObject({
      type: '$error',
      payload: { code: 'BAD_REQUEST' },
    });
    client.send(auth(GOOD, 'c'));
    expect(await client.next()).toMatchObject({ type: '$error', id: 'c', payload: { code: 'BAD_REQUEST' } });
    expect(await client.request('whoami')).toEqual({ text: 'ann' });
  });

  it('is closed with 1011 when authenticate returns an invalid identity', async () => {
    await start({ authenticate: ({ token }) => (token === undefined ? null : ({ userId: 7 } as never)) });
    const client = app.open('/clubs/chess');
    client.send(auth(GOOD));
    expect(await client.closed).toEqual({ code: 1011, reason: 'internal error' });
  });

  it('may disconnect while authenticate runs', async () => {
    const asked = new Subject<void>();
    const isAsked = firstValueFrom(asked);
    const identity = new Subject<{ userId: string }>();
    await start({
      authenticate: ({ token }) => {
        if (token === undefined) return null;
        asked.next();
        return firstValueFrom(identity);
      },
    });
    const client = app.open('/clubs/chess');
    client.send(auth(GOOD));
    await isAsked;
    client.socket.terminate();
    await emptied(app.app.getHttpServer() as Server);
    const registry = app.get(ConnectionRegistry);
    identity.next({ userId: 'ann' });
    await app.close();
    expect(connected).toEqual([]);
    expect(registry.counts).toEqual({ connections: 0, users: 0, sessions: 0, rooms: 0 });
  });
});
