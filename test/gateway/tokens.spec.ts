import type { TestClientOptions } from 'nestjs-realtime/testing';
import type { Authenticate, RealtimeOptions } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { openLobby } from './lobby.js';
import { upgrade } from '../rig/sockets/upgrade-request.js';

const SECRET = 's3cret-token_42.signature';
const OPTIONS: RealtimeOptions = {
  tokenCookie: 'session',
  authenticate: ({ token }) => (token === SECRET ? { userId: 'ann' } : null),
};

const sources: [source: string, client: TestClientOptions][] = [
  ['Authorization', { headers: { Authorization: `Bearer ${SECRET}` } }],
  ['Authorization in small letters', { headers: { authorization: `bearer   ${SECRET}` } }],
  ['the bearer subprotocol', { protocols: ['realtime.v1', `bearer.${SECRET}`] }],
  ['the named cookie', { headers: { Cookie: `theme=dark; session=${SECRET}` } }],
];

describe('a token', () => {
  it.each(sources)('is read from %s', async (_source, client) => {
    const { app } = await openLobby(OPTIONS);
    expect((await app.open('/lobby', client).hello()).userId).toBe('ann');
  });

  it('is read from a first $auth message', async () => {
    const { app, metrics } = await openLobby(OPTIONS);
    const client = app.open('/lobby');
    client.send({ type: '$auth', id: 1, payload: { token: SECRET } });
    expect(await client.reply(1)).toEqual({ expiresInMs: null });
    expect((await client.hello()).userId).toBe('ann');
    expect(metrics.upgradesRefused.total).toBe(0);
  });

  it('is read from Authorization first, then from the subprotocol, then from the cookie', async () => {
    const seen: unknown[] = [];
    const { app } = await openLobby({
      tokenCookie: 'session',
      authenticate: ({ token }) => void seen.push(token),
    });
    const headers: Record<string, string> = {
      Authorization: 'Bearer a',
      'Sec-WebSocket-Protocol': 'bearer.b',
      Cookie: 'session=c',
    };
    for (const name of Object.keys(headers)) {
      await upgrade(app.port, { headers });
      delete headers[name];
    }
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('is not read from a cookie unless an option names one, from the query, or from Basic credentials', async () => {
    const seen: unknown[] = [];
    const { app } = await openLobby({ authenticate: ({ token }) => void seen.push(token) });
    await upgrade(app.port, { headers: { Cookie: `session=${SECRET}; token=${SECRET}` } });
    await upgrade(app.port, { path: `/lobby?token=${SECRET}&access_token=${SECRET}` });
    await upgrade(app.port, { headers: { Authorization: `Basic ${SECRET}` } });
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  it('in the subprotocol is never echoed, unlike realtime.v1', async () => {
    const { app } = await openLobby(OPTIONS);
    const both = await upgrade(app.port, {
      headers: { 'Sec-WebSocket-Protocol': `bearer.${SECRET}, realtime.v1` },
    });
    expect(both.headers['sec-websocket-protocol']).toBe('realtime.v1');
    const alone = await upgrade(app.port, { headers: { 'Sec-WebSocket-Protocol': `bearer.${SECRET}` } });
    expect(alone.status).toBe(101);
    expect(alone.headers['sec-websocket-protocol']).toBeUndefined();
    expect(JSON.stringify([both, alone])).not.toContain(SECRET);
  });
});

describe('a first $auth message', () => {
  it('must come within authTimeoutMs, or the client is closed with 4408', async () => {
    const { app, visits } = await openLobby({ ...OPTIONS, authTimeoutMs: 20 });
    expect(await app.open('/lobby').closed).toEqual({ code: 4408, reason: 'no $auth in time' });
    expect(visits.connected).toEqual([]);
  });

  it('with a wrong token closes with 4401', async () => {
    const { app, visits, metrics } = await openLobby(OPTIONS);
    const client = app.open('/lobby');
    client.send({ type: '$auth', id: 1, payload: { token: 'wrong' } });
    await expect(client.reply(1)).rejects.toThrow('UNAUTHENTICATED: the token was refused');
    expect(await client.closed).toEqual({ code: 4401, reason: 'the token was refused' });
    expect(visits.connected).toEqual([]);
    expect(metrics.messagesRefused.of('UNAUTHENTICATED')).toBe(1);
  });

  it.each([{}, { token: '' }, { token: 7 }, null, 'text', { token: 'x'.repeat(8_193) }])(
    'with the payload %j is invalid, and the client may retry',
    async (payload) => {
      const { app } = await openLobby(OPTIONS);
      const client = app.open('/lobby');
      client.send({ type: '$auth', id: 1, payload });
      await expect(client.reply(1)).rejects.toThrow('VALIDATION_FAILED: expected $auth { token }');
      client.send({ type: '$auth', payload: { token: SECRET } });
      await client.hello();
    },
  );

  it('is not awaited with authTimeoutMs: false, nor after a wrong token in the handshake', async () => {
    const { app } = await openLobby(OPTIONS);
    expect((await upgrade(app.port, { headers: { Authorization: 'Bearer wrong' } })).status).toBe(401);
    const strict = await openLobby({ ...OPTIONS, authTimeoutMs: false });
    expect((await upgrade(strict.app.port)).status).toBe(401);
  });
});

describe('no log line contains a token', () => {
  const accepts: Authenticate = () => ({ userId: 'ann', expiresAt: Date.now() + 60_000 });
  const refuses: Authenticate = () => null;
  const throws: Authenticate = ({ token, ticket }) => {
    throw new Error(`cannot verify ${token ?? ticket}`);
  };

  it.each(Object.entries({ accepts, refuses, throws }))('if authenticate %s', async (_how, authenticate) => {
    const { app, log } = await openLobby({ tokenCookie: 'session', authenticate });
    for (const [, client] of sources) {
      const opened = app.open('/lobby', client);
      opened.socket.on('open', () => opened.socket.close());
      await opened.closed;
    }
    const late = app.open('/lobby');
    late.send({ type: '$auth', payload: { token: SECRET } });
    late.send({ type: '$auth', payload: { token: SECRET } });
    late.send({ type: 'say', id: 1, payload: { token: SECRET } });
    late.send({ type: SECRET, payload: null });
    late.sendText(`{"type": "$auth", "payload": {"token": "${SECRET}"`);
    late.socket.on('open', () => late.socket.close());
    await late.closed;
    await upgrade(app.port, { path: `/lobby?ticket=${SECRET}` });
    await upgrade(app.port, { path: `/lobby?token=${SECRET}`, headers: { 'Sec-WebSocket-Version': '1' } });
    expect(log.lines.length).toBeGreaterThan(10);
    expect(log.text).not.toContain(SECRET);
  });
});
