import { Broadcaster, ConnectionRegistry, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { restaurant, RestaurantGateway } from './restaurant.js';

const change = { type: 'table:status_changed', payload: { tableId: 't1', status: 'free' } } as const;
const end = { type: 'table:status_changed', payload: { tableId: 'end', status: 'free' } } as const;

let app: RealtimeTestApp;
let broadcaster: Broadcaster<typeof restaurant>;
let registry: ConnectionRegistry;
/** Two tabs of Ann and one of Bob. */
let ann: TestClient;
let annsTablet: TestClient;
let bob: TestClient;
let ids: Map<TestClient, { connectionId: string; sessionId: string }>;

beforeEach(async () => {
  app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot({ authenticate: ({ token }) => ({ userId: token }) })],
    providers: [RestaurantGateway],
  });
  broadcaster = app.get<Broadcaster<typeof restaurant>>(Broadcaster);
  registry = app.get(ConnectionRegistry);
  ann = app.open('/ws', { token: 'ann' });
  annsTablet = app.open('/ws', { token: 'ann' });
  bob = app.open('/ws', { token: 'bob' });
  ids = new Map();
  for (const client of [ann, annsTablet, bob]) ids.set(client, await client.hello());
});
afterEach(() => app.close());

const idOf = (client: TestClient) => ids.get(client)?.connectionId ?? 'unknown';
const sessionOf = (client: TestClient) => ids.get(client)?.sessionId ?? 'unknown';
const receipt = (delivered: number) => ({
  delivered,
  dropped: 0,
  nodes: 0,
  missingNodes: 0,
  scope: 'cluster',
  failure: null,
});

/** How often each of the three got the change, counted until a last message to all. */
async function counts(): Promise<number[]> {
  await broadcaster.broadcast(end);
  const count = async (client: TestClient) => {
    for (let seen = 0; ; seen++) {
      const { type, payload } = await client.next();
      if (type === end.type && (payload as { tableId: string }).tableId === 'end') return seen;
    }
  };
  return Promise.all([ann, annsTablet, bob].map(count));
}

describe('a send reaches', () => {
  it('every connection of a user', async () => {
    expect(await broadcaster.sendToUser('ann', change)).toEqual(receipt(2));
    expect(await counts()).toEqual([1, 1, 0]);
  });

  it('every connection of several users once, even for repeated user ids', async () => {
    expect(await broadcaster.sendToUsers(['ann', 'bob', 'ann', 'carol'], change)).toEqual(receipt(3));
    expect(await counts()).toEqual([1, 1, 1]);
  });

  it('the members of a room, until they leave it', async () => {
    expect(await broadcaster.sendToRoom('floor', change)).toEqual(receipt(3));
    registry.get(idOf(ann))?.leave('floor');
    expect(await broadcaster.sendToRoom('floor', change)).toEqual(receipt(2));
    expect(await counts()).toEqual([1, 2, 2]);
  });

  it('the members of several rooms once each', async () => {
    await registry.get(idOf(ann))?.join('bar');
    await registry.get(idOf(ann))?.join('terrace');
    expect(await broadcaster.sendToRooms(['bar', 'floor', 'terrace', 'bar'], change)).toEqual(receipt(3));
    expect(await counts()).toEqual([1, 1, 1]);
  });

  it('one connection', async () => {
    expect(await broadcaster.sendToConnection(idOf(bob), change)).toEqual(receipt(1));
    expect(await counts()).toEqual([0, 0, 1]);
  });

  it('everyone', async () => {
    expect(await broadcaster.broadcast(change)).toEqual(receipt(3));
    expect(await counts()).toEqual([1, 1, 1]);
  });

  it('no connection if none matches', async () => {
    expect(await broadcaster.sendToUser('carol', change)).toEqual(receipt(0));
    expect(await broadcaster.sendToUsers([], change)).toEqual(receipt(0));
    expect(await broadcaster.sendToRooms([], change)).toEqual(receipt(0));
    expect(await broadcaster.sendToConnection('no.such', change)).toEqual(receipt(0));
  });
});

describe('the options of a send', () => {
  it('except excludes a connection', async () => {
    expect(await broadcaster.broadcast(change, { except: idOf(ann) })).toEqual(receipt(2));
    expect(await counts()).toEqual([0, 1, 1]);
  });

  it('except excludes sessions', async () => {
    const except = [sessionOf(ann), sessionOf(bob)];
    expect(await broadcaster.sendToRoom('floor', change, { except })).toEqual(receipt(1));
    expect(await counts()).toEqual([0, 1, 0]);
  });

  it('local is reported in the receipt', async () => {
    expect(await broadcaster.broadcast(change, { local: true })).toEqual({ ...receipt(3), scope: 'node' });
  });

  it('a message that cannot be sent rejects and reaches no client', async () => {
    const cyclic: { tableId: string; self?: unknown } = { tableId: 't1' };
    cyclic.self = cyclic;
    await expect(broadcaster.broadcast({ type: 'cursor:moved', payload: cyclic })).rejects.toThrow(TypeError);
    const reserved = { type: '$hello', payload: null } as never;
    await expect(broadcaster.broadcast(reserved)).rejects.toThrow('got the reserved type "$hello"');
    expect(await counts()).toEqual([0, 0, 0]);
  });
});

describe('a disconnect ends', () => {
  const closed = { code: 4500, reason: 'disconnected by the server' };

  it('every connection of a user', async () => {
    expect(await broadcaster.disconnectUser('ann')).toEqual(receipt(2));
    expect([await ann.closed, await annsTablet.closed]).toEqual([closed, closed]);
    expect(bob.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('one session', async () => {
    expect(await broadcaster.disconnectSession(sessionOf(ann))).toEqual(receipt(1));
    expect(await ann.closed).toEqual(closed);
  });

  it('one connection, with a code and a truncated reason', async () => {
    const options = { code: 4001, reason: '🍕'.repeat(40) };
    expect(await broadcaster.disconnectConnection(idOf(bob), options)).toEqual(receipt(1));
    expect(await bob.closed).toEqual({ code: 4001, reason: '🍕'.repeat(30) });
  });

  it.each([1005, 1006, 1015, 2000, 5000, Number.NaN])(
    'nothing if the code must not be sent: %s',
    async (code) => {
      await expect(broadcaster.disconnectUser('ann', { code })).rejects.toThrow(RangeError);
    },
  );

  it('no connection if none matches', async () => {
    expect(await broadcaster.disconnectUser('carol')).toEqual(receipt(0));
    expect(await broadcaster.disconnectSession('nothing')).toEqual(receipt(0));
    expect(await broadcaster.disconnectConnection('no.such')).toEqual(receipt(0));
  });
});

describe('joinRoom and leaveRoom', () => {
  it('move every connection of a user', async () => {
    expect(await broadcaster.joinRoom('ann', 'bar')).toEqual(receipt(2));
    expect(registry.inRoom('bar').map(({ id }) => id)).toEqual([idOf(ann), idOf(annsTablet)]);
    expect(await broadcaster.sendToRoom('bar', change)).toEqual(receipt(2));
    expect(await broadcaster.leaveRoom('ann', 'bar')).toEqual(receipt(2));
    expect(await broadcaster.sendToRoom('bar', change)).toEqual(receipt(0));
    expect(registry.counts).toEqual({ connections: 3, users: 2, sessions: 3, rooms: 1 });
  });
});

describe('the registry', () => {
  it('finds connections by id, user, session and room', async () => {
    expect(registry.size).toBe(3);
    expect([...registry].map(({ id }) => id)).toEqual([ann, annsTablet, bob].map(idOf));
    expect(registry.get(idOf(ann))).toMatchObject({
      userId: 'ann',
      path: '/ws',
      ip: '127.0.0.1',
      isOpen: true,
    });
    expect(registry.ofUser('ann')).toHaveLength(2);
    expect(registry.ofSession(sessionOf(bob)).map(({ id }) => id)).toEqual([idOf(bob)]);
    expect(registry.inRoom('floor')).toHaveLength(3);
    expect(registry.get('no.such')).toBeUndefined();
  });

  it("keeps the app's data of a connection", () => {
    const connection = registry.get(idOf(ann));
    Object.assign(connection?.data ?? {}, { table: 4 });
    expect(registry.get(idOf(ann))?.data).toEqual({ table: 4 });
  });

  it('returns from send() whether a message was sent', async () => {
    const connection = registry.get(idOf(ann));
    expect(connection?.send(change)).toBe(true);
    expect(await ann.next()).toEqual(change);
    expect(() => connection?.send({ type: 'ping' })).toThrow('reserved type "ping"');
    connection?.close(4000, 'come back');
    expect(connection?.send(change)).toBe(false);
    expect(await ann.closed).toEqual({ code: 4000, reason: 'come back' });
    expect(() => connection?.close(1006)).toThrow(RangeError);
  });
});
