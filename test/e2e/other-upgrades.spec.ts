import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { upgradeText } from '../rig/sockets/client-bytes.js';
import { RestaurantGateway } from './restaurant.js';

let app: RealtimeTestApp;
let server: Server;
const others: WebSocketServer[] = [];

beforeEach(async () => {
  app = await createRealtimeTestApp({ imports: [RealtimeModule.forRoot()], providers: [RestaurantGateway] });
  server = app.app.getHttpServer() as Server;
});
afterEach(async () => {
  vi.useRealTimers();
  for (const other of others.splice(0)) other.close();
  await app.close();
});

/** A second WebSocket server on the app's HTTP server, as graphql-ws creates one. */
function listenBeside(path: string): void {
  const other = new WebSocketServer({ server, path });
  other.on('connection', (socket) => socket.send('hello from the other'));
  others.push(other);
}

function firstWord(path: string): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${app.port}${path}`);
  return new Promise((resolve) => {
    socket.on('message', (data) => {
      resolve(String(data));
      socket.close();
    });
    socket.on('error', ({ message }) => resolve(message));
  });
}

describe('another WebSocket server on the same HTTP server', () => {
  it('serves its own path', async () => {
    listenBeside('/graphql');
    expect(await firstWord('/graphql')).toBe('hello from the other');
    const client = await app.connect('/ws');
    expect(await client.request('table:reserve', { tableId: 't1', partySize: 2 })).toMatchObject({
      id: 'r-t1',
    });
  });

  it('answers unknown paths in its own way', async () => {
    listenBeside('/graphql');
    expect(await firstWord('/nope')).toBe('Unexpected server response: 400');
  });
});

describe('an upgrade listener that ignores paths of others', () => {
  it('leaves an unknown path to our 404 after five seconds', async () => {
    const seen = new Promise<void>((resolve) => server.on('upgrade', () => resolve()));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const answer = firstWord('/nope');
    await seen;
    vi.advanceTimersByTime(5_000);
    expect(await answer).toBe('Unexpected server response: 404');
  });

  it('does not end the process when a client resets its connection on an unknown path', async () => {
    const seen = new Promise<Duplex>((resolve) =>
      server.on('upgrade', (_request, socket) => resolve(socket)),
    );
    const client = connect(app.port, '127.0.0.1');
    client.write(upgradeText('/nope'));
    const socket = await seen;
    expect(socket.listenerCount('error')).toBeGreaterThan(0);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    client.resetAndDestroy();
    await closed;
  });

  it('may answer late, and then no 404 is sent', async () => {
    const late = new WebSocketServer({ noServer: true });
    others.push(late);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const upgrade = (...parameters: Parameters<typeof late.handleUpgrade>) =>
      late.handleUpgrade(...parameters);
    const seen = new Promise<void>((resolve) => {
      server.on('upgrade', (request, socket, head) => {
        setTimeout(
          () => upgrade(request, socket, head, (ws) => ws.on('message', (data) => ws.send(String(data)))),
          4_000,
        );
        resolve();
      });
    });
    const client = new WebSocket(`ws://127.0.0.1:${app.port}/late`);
    const opened = new Promise((resolve) => client.on('open', resolve));
    await seen;
    vi.advanceTimersByTime(4_000);
    await opened;
    vi.advanceTimersByTime(2_000);
    const echo = new Promise((resolve, reject) => client.on('message', resolve).on('error', reject));
    client.send('still there?');
    expect(String(await echo)).toBe('still there?');
    client.close();
  });
});

describe('app.close()', () => {
  it('takes every listener and wrapper off the HTTP server', async () => {
    const bare = await createRealtimeTestApp({});
    const bareServer = bare.app.getHttpServer() as Server;
    const counts = (of: Server) => of.eventNames().map((name) => `${String(name)} ${of.listenerCount(name)}`);
    expect(counts(server)).toContain('upgrade 1');
    await (await app.connect('/ws')).close();
    await Promise.all([app.close(), bare.close()]);
    expect(counts(server)).toEqual(counts(bareServer));
    expect(Object.hasOwn(server, 'emit')).toBe(Object.hasOwn(bareServer, 'emit'));
  });

  it('leaves a wrapper that was added later', async () => {
    const emit = server.emit.bind(server);
    let passed = 0;
    server.emit = ((...args: Parameters<typeof emit>) => {
      passed++;
      return emit(...args);
    }) as typeof server.emit;
    const wrapper = server.emit;
    await app.connect('/ws');
    await app.close();
    expect(passed).toBeGreaterThan(0);
    expect(server.emit).toBe(wrapper);
  });
});
