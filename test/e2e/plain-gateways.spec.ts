import { createServer, type AddressInfo } from 'node:net';
import { MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { Connection, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, type Server } from 'ws';
import { RestaurantGateway } from './restaurant.js';

const events: string[] = [];

class Doubling {
  @WebSocketServer() server!: Server;

  handleConnection(client: unknown): void {
    events.push(client instanceof Connection ? 'connected as ours' : 'connected');
  }

  handleDisconnect(): void {
    events.push('disconnected');
  }

  @SubscribeMessage('double')
  double(@MessageBody() n: number) {
    return { event: 'doubled', data: n * 2 };
  }
}

@WebSocketGateway({ path: '/plain' })
class PlainGateway extends Doubling {}

let app: RealtimeTestApp;
afterEach(() => app.close());
const start = async (...providers: (new () => object)[]) => {
  events.length = 0;
  app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot()],
    providers: [RestaurantGateway, ...providers],
  });
};

/** Sends one message to a plain gateway and returns its reply. */
async function double(url: string): Promise<string> {
  const socket = new WebSocket(url);
  socket.on('open', () => socket.send(JSON.stringify({ event: 'double', data: 4 })));
  const answer = await new Promise<string>((resolve, reject) => {
    socket.on('message', (data) => resolve(String(data)));
    socket.on('error', reject);
  });
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.close();
  await closed;
  return answer;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

const reserve = async () => {
  const client = await app.connect('/ws');
  return client.request('table:reserve', { tableId: 't1', partySize: 2 });
};

describe('a plain Nest gateway beside a realtime gateway', () => {
  it('keeps its {event, data} frames, its raw sockets, its hooks and its server', async () => {
    await start(PlainGateway);
    expect(await double(`ws://127.0.0.1:${app.port}/plain`)).toBe('{"event":"doubled","data":8}');
    expect(await reserve()).toMatchObject({ id: 'r-t1' });
    expect(events).toEqual(['connected', 'disconnected']);
    expect(app.get(PlainGateway).server.clients.size).toBe(0);
  });

  it('matches a path with a trailing slash, as a realtime gateway does', async () => {
    await start(PlainGateway);
    expect(await double(`ws://127.0.0.1:${app.port}/plain/`)).toBe('{"event":"doubled","data":8}');
  });

  it('may have the same path on another port', async () => {
    const port = await freePort();
    @WebSocketGateway(port, { path: '/ws' })
    class PortGateway extends Doubling {}
    await start(PortGateway);
    expect(await double(`ws://127.0.0.1:${port}/ws`)).toBe('{"event":"doubled","data":8}');
    expect(await reserve()).toMatchObject({ id: 'r-t1' });
  });

  it('closes with the app', async () => {
    await start(PlainGateway);
    const socket = new WebSocket(`ws://127.0.0.1:${app.port}/plain`);
    await new Promise((resolve) => socket.on('open', resolve));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await app.close();
    await closed;
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  });
});
