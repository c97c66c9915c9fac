import { ServiceUnavailableException } from '@nestjs/common';
import { defineContract, OnMessage, RealtimeGateway, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { until } from '../rig/clock/until.js';

const shop = defineContract({
  client: {
    order: { payload: z.object({ n: z.number() }), reply: z.object({ n: z.number() }) },
    tail: { payload: null, reply: z.string() },
  },
  server: {},
});

let orders: number;
let finish: () => void;
let started: () => void;
let isAway: boolean;

@RealtimeGateway({ path: '/ws', contract: shop })
class ShopGateway {
  @OnMessage(shop, 'order')
  order({ n }: { n: number }): Promise<{ n: number }> | { n: number } {
    orders++;
    if (n > 0) return { n };
    started();
    return new Promise((resolve) => (finish = () => resolve({ n })));
  }

  @OnMessage(shop, 'tail')
  async *tail(): AsyncGenerator<string> {
    yield 'line 1';
    yield 'line 2';
  }
}

/** A token names its user and how long it lasts; `bad` is refused. */
function authenticate({ token }: { token: string | undefined }): object | null {
  if (token === undefined || token === 'bad') return null;
  if (isAway) throw new ServiceUnavailableException();
  const [userId, lifeMs] = token.split(' ') as [string, string | undefined];
  return { userId, ...(lifeMs && { expiresAt: Date.now() + Number(lifeMs) }) };
}

let app: RealtimeTestApp;
beforeEach(async () => {
  orders = 0;
  isAway = false;
  started = finish = () => undefined;
  app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot({ authenticate: authenticate })],
    providers: [ShopGateway],
  });
});
afterEach(() => app.close());

/** Sends `$auth` first, as a browser does. */
function opened(token = 'ana', ...messages: object[]): TestClient {
  const client = app.open('/ws');
  for (const message of [{ type: '$auth', payload: { token } }, ...messages]) client.send(message as never);
  return client;
}

const codeOf = (frame: { payload?: unknown }) => (frame.payload as { code: string }).code;

describe('connecting', () => {
  it('$auth and $resume are replied to before $hello, and messages after it', async () => {
    const { sessionId } = await opened().hello();
    const client = app.open('/ws');
    client.send({ type: 'order', id: 0, payload: { n: 1 } });
    expect(await client.next()).toMatchObject({
      type: '$error',
      id: 0,
      payload: { code: 'UNAUTHENTICATED' },
    });
    client.send({ type: 'ping', id: 'p' });
    expect(await client.next()).toEqual({ type: 'pong', id: 'p' });
    client.send({ type: '$auth', id: 'a', payload: { token: 'ana' } });
    client.send({ type: '$resume', id: 'r', payload: { sessionId, positions: {} } });
    client.send({ type: '$resume', id: 's', payload: { sessionId, positions: {} } });
    client.send({ type: 'order', id: 1, payload: { n: 1 } });
    const frames = [];
    for (let n = 0; n < 5; n++) frames.push(await client.next());
    const order = frames.map(({ type, id }) => id ?? type);
    expect(order.indexOf('a')).toBeLessThan(order.indexOf('$hello'));
    expect(order.indexOf('r')).toBeLessThan(order.indexOf('$hello'));
    expect(order.at(-1)).toBe(1);
    expect(frames.find(({ id }) => id === 'r')?.payload).toEqual({
      sessionId,
      answersRemembered: true,
      recovered: false,
    });
  });
});

describe('a renewal', () => {
  it('that is accepted prolongs the connection; while another runs it is refused', async () => {
    const client = opened('ana 60000');
    expect((await client.hello()).expiresInMs).toBeGreaterThan(50_000);
    client.send({ type: '$auth', id: 'a', payload: { token: 'ana 90000' } });
    client.send({ type: '$auth', id: 'b', payload: { token: 'ana 90000' } });
    expect(codeOf(await client.next())).toBe('BAD_REQUEST');
    expect(((await client.reply('a')) as { expiresInMs: number }).expiresInMs).toBeGreaterThan(80_000);
    client.send({ type: '$auth', id: 'c', payload: { token: 'bob' } });
    expect(codeOf(await client.next())).toBe('FORBIDDEN');
  });

  it('of a token that does not expire is refused', async () => {
    const client = opened();
    await client.hello();
    client.send({ type: '$auth', id: 'a', payload: { token: 'ana' } });
    expect(codeOf(await client.next())).toBe('BAD_REQUEST');
  });

  it('that is refused lets the connection last as long as its token, and then ends it with 4401', async () => {
    const client = opened('ana 300');
    await client.hello();
    client.send({ type: '$auth', id: 'a', payload: { token: 'bad' } });
    expect(codeOf(await client.next())).toBe('UNAUTHENTICATED');
    expect(await client.request('order', { n: 1 })).toEqual({ n: 1 });
    expect((await client.closed).code).toBe(4401);
  });

  it('that could not be checked before the token expired ends with 1013', async () => {
    const client = opened('ana 300');
    await client.hello();
    isAway = true;
    client.send({ type: '$auth', id: 'a', payload: { token: 'ana 300' } });
    expect(codeOf(await client.next())).toBe('UNAVAILABLE');
    expect(await client.closed).toEqual({ code: 1013, reason: 'retry=5000' });
  });
});

it('a $cancel that crosses $complete has no effect, and neither has one for a plain reply', async () => {
  const client = opened();
  await client.hello();
  client.send({ type: 'tail', id: 5, payload: null });
  const types = [];
  for (let n = 0; n < 3; n++) types.push((await client.next()).type);
  client.send({ type: '$cancel', id: 5 });
  client.send({ type: 'order', id: 6, payload: { n: 6 } });
  client.send({ type: '$cancel', id: 6 });
  expect(types).toEqual(['$next', '$next', '$complete']);
  expect(await client.next()).toEqual({ type: '$reply', id: 6, payload: { n: 6 } });
});

it('a repeated key gets the reply of the first message on the next connection', async () => {
  const order = { type: 'order', id: 'k-8', key: 'k-8', payload: { n: 0 } };
  const running = new Promise<void>((resolve) => (started = resolve));
  const first = opened('ana', order);
  const { sessionId, connectionId } = await first.hello();
  await running;
  first.socket.terminate();
  await first.closed;
  const payload = { sessionId, connectionIds: [connectionId], positions: {} };
  const second = opened('ana', { type: '$resume', id: 'r', payload }, order);
  expect(await second.reply('r')).toMatchObject({ sessionId, answersRemembered: true });
  await second.hello();
  finish();
  expect(await second.reply('k-8')).toEqual({ n: 0 });
  expect(orders).toBe(1);
});

it('a drain refuses late messages, waits for running handlers and closes with 1012', async () => {
  const running = new Promise<void>((resolve) => (started = resolve));
  const client = opened('ana', { type: 'order', id: 9, payload: { n: 0 } });
  await client.hello();
  await running;
  const closing = app.app.close();
  const { payload } = await client.nextOfType('$goaway');
  expect(payload).toEqual({ reconnectAfterMs: expect.any(Number) as number });
  let id = 10;
  await until('a late message is refused', () => {
    client.send({ type: 'order', id: id++, payload: { n: 1 } });
    return client.frames.some((frame) => frame.type === '$error' && codeOf(frame) === 'UNAVAILABLE');
  });
  finish();
  expect(await client.reply(9)).toEqual({ n: 0 });
  expect((await client.closed).code).toBe(1012);
  await closing;
});
