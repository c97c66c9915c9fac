import { Broadcaster, ConnectionRegistry, MemoryBackplane, MemoryHub, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { restaurant, RestaurantGateway } from './restaurant.js';

const change = { type: 'table:status_changed', payload: { tableId: 't1', status: 'free' } } as const;
const end = { type: 'table:status_changed', payload: { tableId: 'end', status: 'free' } } as const;

let here: RealtimeTestApp;
let there: RealtimeTestApp;
let broadcaster: Broadcaster<typeof restaurant>;
/** Ann is on both nodes, Bob on the second. */
let annHere: TestClient;
let annThere: TestClient;
let bobThere: TestClient;
let ids: Map<TestClient, { connectionId: string; sessionId: string }>;

beforeEach(async () => {
  const hub = new MemoryHub();
  const start = () =>
    createRealtimeTestApp({
      imports: [
        RealtimeModule.forRoot({
          backplane: new MemoryBackplane(hub),
          authenticate: ({ token }) => ({ userId: token }),
        }),
      ],
      providers: [RestaurantGateway],
    });
  here = await start();
  there = await start();
  broadcaster = here.get<Broadcaster<typeof restaurant>>(Broadcaster);
  annHere = here.open('/ws', { token: 'ann' });
  annThere = there.open('/ws', { token: 'ann' });
  bobThere = there.open('/ws', { token: 'bob' });
  ids = new Map();
  for (const client of [annHere, annThere, bobThere]) ids.set(client, await client.hello());
});
afterEach(async () => {
  await here.close();
  await there.close();
});

const idOf = (client: TestClient) => ids.get(client)?.connectionId ?? 'unknown';
const sessionOf = (client: TestClient) => ids.get(client)?.sessionId ?? 'unknown';
const on = (app: RealtimeTestApp) => app.get(ConnectionRegistry);

async function counts(): Promise<number[]> {
  await broadcaster.broadcast(end);
  const count = async (client: TestClient) => {
    for (let seen = 0; ; seen++)
      if (((await client.next()).payload as { tableId: string }).tableId === 'end') return seen;
  };
  return Promise.all([annHere, annThere, bobThere].map(count));
}

describe('from one node', () => {
  const sends: [string, () => Promise<unknown>, number[], { delivered: number; nodes: number }][] = [
    ['sendToUser', () => broadcaster.sendToUser('ann', change), [1, 1, 0], { delivered: 1, nodes: 1 }],
    [
      'sendToUser, to a user elsewhere',
      () => broadcaster.sendToUser('bob', change),
      [0, 0, 1],
      { delivered: 0, nodes: 1 },
    ],
    [
      'sendToUsers',
      () => broadcaster.sendToUsers(['ann', 'bob'], change),
      [1, 1, 1],
      { delivered: 1, nodes: 1 },
    ],
    ['sendToRoom', () => broadcaster.sendToRoom('floor', change), [1, 1, 1], { delivered: 1, nodes: 1 }],
    ['broadcast', () => broadcaster.broadcast(change), [1, 1, 1], { delivered: 1, nodes: 1 }],
    [
      'sendToConnection',
      () => broadcaster.sendToConnection(idOf(bobThere), change),
      [0, 0, 1],
      { delivered: 0, nodes: 1 },
    ],
    [
      'sendToConnection, to one of its own',
      () => broadcaster.sendToConnection(idOf(annHere), change),
      [1, 0, 0],
      { delivered: 1, nodes: 0 },
    ],
    [
      'a local send',
      () => broadcaster.broadcast(change, { local: true }),
      [1, 0, 0],
      { delivered: 1, nodes: 0 },
    ],
    [
      'a send except a connection elsewhere',
      () => broadcaster.broadcast(change, { except: idOf(bobThere) }),
      [1, 1, 0],
      { delivered: 1, nodes: 1 },
    ],
    [
      'a send except a session elsewhere',
      () => broadcaster.sendToRoom('floor', change, { except: sessionOf(annThere) }),
      [1, 0, 1],
      { delivered: 1, nodes: 1 },
    ],
    [
      'a send to an empty room',
      () => broadcaster.sendToRoom('cellar', change),
      [0, 0, 0],
      { delivered: 0, nodes: 0 },
    ],
  ];

  it.each(sends)('%s reaches its recipients on every node, once', async (_name, send, expected, receipt) => {
    expect(await send()).toMatchObject({ ...receipt, dropped: 0 });
    expect(await counts()).toEqual(expected);
  });

  it('sendToRooms reaches a connection in several of the rooms once', async () => {
    for (const room of ['bar', 'terrace']) {
      await on(here).get(idOf(annHere))?.join(room);
      await on(there).get(idOf(annThere))?.join(room);
    }
    await on(there).get(idOf(bobThere))?.join('terrace');
    await broadcaster.sendToRooms(['terrace', 'bar', 'floor', 'cellar'], change);
    expect(await counts()).toEqual([1, 1, 1]);
  });

  it('joinRoom and leaveRoom move the connections of a user on all nodes', async () => {
    expect(await broadcaster.joinRoom('ann', 'bar')).toMatchObject({ delivered: 2, missingNodes: 0 });
    expect([on(here).inRoom('bar').length, on(there).inRoom('bar').length]).toEqual([1, 1]);
    await broadcaster.sendToRoom('bar', change);
    expect(await counts()).toEqual([1, 1, 0]);
    await broadcaster.leaveRoom('ann', 'bar');
    expect(await broadcaster.sendToRoom('bar', change)).toMatchObject({ delivered: 0, nodes: 0 });
  });

  it('a send with confirmation counts the connections of other nodes too', async () => {
    const confirmed = await broadcaster.sendToUsers(['ann', 'bob'], change, { confirmWithinMs: 1_000 });
    expect(confirmed).toMatchObject({ delivered: 3, dropped: 0, nodes: 1, missingNodes: 0 });
    expect(await counts()).toEqual([1, 1, 1]);
  });

  it('a request reaches a connection on another node, and its reply comes back', async () => {
    const reply = broadcaster.requestFromConnection(idOf(bobThere), {
      type: 'host:ask',
      payload: { text: 'tea?' },
    });
    const { id = '', payload } = await bobThere.nextOfType('$request');
    expect(payload).toEqual({ type: 'host:ask', payload: { text: 'tea?' } });
    bobThere.send({ type: '$reply', id, payload: { yes: true } });
    expect(await reply).toEqual({ yes: true });
  });

  it('a request to a user takes the first valid reply of any node', async () => {
    const reply = broadcaster.requestFromUser('ann', { type: 'host:ask', payload: { text: 'tea?' } });
    const [here, there] = [await annHere.nextOfType('$request'), await annThere.nextOfType('$request')];
    annHere.send({ type: '$reply', id: here.id ?? '', payload: { yes: 'broken' } });
    annThere.send({ type: '$reply', id: there.id ?? '', payload: { yes: false } });
    expect(await reply).toEqual({ yes: false });
  });

  it('a request refused by a client on another node rejects with its code and details', async () => {
    const reply = broadcaster.requestFromUser('bob', { type: 'host:ask', payload: { text: 'tea?' } });
    const { id = '' } = await bobThere.nextOfType('$request');
    const refusal = { code: 'BUSY', message: 'not now', details: { freeAt: '21:00' } };
    bobThere.send({ type: '$error', id, payload: refusal });
    await expect(reply).rejects.toMatchObject({ name: 'ClientRequestError', ...refusal });
  });

  it('disconnectUser closes the connections of a user on all nodes', async () => {
    expect(await broadcaster.disconnectUser('ann', { code: 4500, reason: 'logout' })).toMatchObject({
      delivered: 2,
      nodes: 1,
      missingNodes: 0,
    });
    const end = { code: 4500, reason: 'logout' };
    expect([await annHere.closed, await annThere.closed]).toEqual([end, end]);
    expect(bobThere.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('disconnectSession and disconnectConnection work across nodes', async () => {
    expect(await broadcaster.disconnectSession(sessionOf(bobThere))).toMatchObject({
      delivered: 1,
      nodes: 1,
    });
    expect(await broadcaster.disconnectConnection(idOf(annThere), { code: 4000 })).toMatchObject({
      delivered: 1,
      nodes: 1,
    });
    expect((await bobThere.closed).code).toBe(4500);
    expect((await annThere.closed).code).toBe(4000);
  });
});

describe('a closed node', () => {
  it('is not counted any more', async () => {
    await there.close();
    expect(await broadcaster.broadcast(change)).toMatchObject({
      delivered: 1,
      dropped: 0,
      nodes: 0,
      failure: null,
    });
  });
});
