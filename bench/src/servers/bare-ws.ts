// Hand-optimized `ws`: one handler per socket, one Buffer per broadcast.
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { JwtService } from '@nestjs/jwt';
import { WebSocketServer, type WebSocket } from 'ws';
import { CREATE, isNewReservation, KEY, reserve, STATUS_CHANGED } from '../venue.js';
import { serve } from './control.js';

type Client = WebSocket & { userId: string; isAlive: boolean; room: string; _socket: Socket };

await serve(async ({ isBare = false }) => {
  const jwt = new JwtService({ secret: KEY });
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const users = new Map<string, Set<Client>>();
  const rooms = new Map<string, Set<Client>>();

  server.on('upgrade', (request, socket, head) => {
    let userId: string;
    try {
      userId = (jwt.verify((request.headers.authorization ?? '').slice(7)) as { sub: string }).sub;
    } catch {
      socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
      return;
    }
    const room = new URL(request.url ?? '/', 'http://localhost').searchParams.get('room') ?? 'venue:1';
    sockets.handleUpgrade(request, socket, head, (ws) => {
      const client = ws as Client;
      client.userId = userId;
      client.isAlive = true;
      client.room = room;
      add(users, userId, client);
      add(rooms, room, client);
      client.on('message', receive).on('pong', alive).on('close', gone).on('error', gone);
      client.send('{"type":"hello"}');
    });
  });

  function receive(this: WebSocket, data: Buffer): void {
    const { type, id, payload } = JSON.parse(data.toString()) as Record<string, unknown>;
    if (type === CREATE && isNewReservation(payload)) {
      this.send(JSON.stringify({ type: '$reply', id, payload: reserve(payload) }));
    } else {
      this.send(JSON.stringify({ type: '$error', id }));
    }
  }

  function alive(this: WebSocket): void {
    (this as Client).isAlive = true;
  }

  function gone(this: WebSocket): void {
    const client = this as Client;
    remove(users, client.userId, client);
    remove(rooms, client.room, client);
  }

  setInterval(() => {
    for (const client of sockets.clients as Set<Client>) {
      if (!client.isAlive) client.terminate();
      client.isAlive = false;
      client.ping();
    }
  }, 25_000);

  function sendTo(clients: Iterable<WebSocket>, payload: unknown): void {
    const bytes = Buffer.from(JSON.stringify({ type: STATUS_CHANGED, payload }));
    for (const client of clients) if (client.readyState === 1) client.send(bytes, { binary: false });
  }

  /** The minimum work with Node's sockets: no state is checked, nothing is counted. */
  function writeTo(clients: Iterable<WebSocket>, payload: unknown): void {
    const text = Buffer.from(JSON.stringify({ type: STATUS_CHANGED, payload }));
    const frame = Buffer.concat([Buffer.from([0x81, 126, text.length >> 8, text.length & 0xff]), text]);
    for (const client of clients) (client as Client)._socket.write(frame);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    broadcast: (message) => (isBare ? writeTo : sendTo)(sockets.clients, message),
    sendToRoom: (room, message) => sendTo(rooms.get(room) ?? [], message),
    sendToUser: (userId, message) => sendTo(users.get(userId) ?? [], message),
    joinAll: (count) => {
      for (const client of sockets.clients as Set<Client>) {
        for (let i = 0; i < count; i++) add(rooms, `room:${i}`, client);
      }
    },
  };
});

function add(index: Map<string, Set<Client>>, key: string, client: Client): void {
  const members = index.get(key);
  if (members === undefined) index.set(key, new Set([client]));
  else members.add(client);
}

function remove(index: Map<string, Set<Client>>, key: string, client: Client): void {
  const members = index.get(key);
  if (members?.delete(client) === true && members.size === 0) index.delete(key);
}
