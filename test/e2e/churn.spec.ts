import type { Server } from 'node:http';
import {
  Broadcaster,
  ConnectionRegistry,
  OnMessage,
  RealtimeGateway,
  RealtimeModule,
  type Connection,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Reserve, TableRef, restaurant, type Reservation } from './restaurant.js';

const CYCLES = 10_000;
const AT_A_TIME = 200;

let disconnects = 0;

@RealtimeGateway({ path: '/ws', contract: restaurant })
class BusyGateway {
  async handleConnection(connection: Connection): Promise<void> {
    await Promise.all([connection.join('floor'), connection.join(`own:${connection.id}`)]);
  }

  handleDisconnect(): void {
    disconnects++;
  }

  @OnMessage(restaurant, 'table:reserve')
  reserve({ tableId, partySize }: Reserve): Reservation {
    return { id: 'r', tableId, partySize };
  }

  @OnMessage(restaurant, 'table:release')
  release(_payload: TableRef): void {}
}

let app: RealtimeTestApp;
afterEach(() => app.close());

/** Connects, waits for `$hello`, sends one request, and closes or destroys the socket. */
function cycle(n: number): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${app.port}/ws`, {
    headers: { authorization: `Bearer user-${n % 50}` },
  });
  return new Promise((resolve, reject) => {
    let frames = 0;
    socket.on('message', () => {
      frames++;
      if (frames === 1)
        socket.send('{"type":"table:reserve","id":1,"payload":{"tableId":"t","partySize":2}}');
      else if (n % 4 === 0) socket.terminate();
      else socket.close();
    });
    socket.on('close', () => resolve());
    socket.on('error', reject);
  });
}

async function cycles(count: number): Promise<void> {
  for (let begun = 0; begun < count; begun += AT_A_TIME) {
    await Promise.all(Array.from({ length: AT_A_TIME }, (_, n) => cycle(begun + n)));
  }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

it('10,000 connect/disconnect cycles leak nothing', { timeout: 180_000 }, async () => {
  app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot({ authenticate: ({ token }) => ({ userId: token }) })],
    providers: [BusyGateway],
  });
  const registry = app.get(ConnectionRegistry);
  const server = app.app.getHttpServer() as Server;
  const listeners = () =>
    [process, server].map((emitter) =>
      emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]),
    );
  const idle = async (expected: number) => {
    while (disconnects < expected || registry.size > 0) await nextTurn();
  };
  disconnects = 0;
  await cycles(AT_A_TIME);
  await idle(AT_A_TIME);
  const before = listeners();
  await cycles(CYCLES);
  await idle(AT_A_TIME + CYCLES);
  expect(registry.counts).toEqual({ connections: 0, users: 0, sessions: 0, rooms: 0 });
  expect(disconnects).toBe(AT_A_TIME + CYCLES);
  expect(listeners()).toEqual(before);
  const change = { type: 'table:status_changed', payload: { tableId: 't1', status: 'free' } } as const;
  expect(await app.get<Broadcaster<typeof restaurant>>(Broadcaster).broadcast(change)).toMatchObject({
    delivered: 0,
    dropped: 0,
  });
});
