// uWebSockets.js: C++ sockets, with topics for rooms and users. The upper limit for a Node process.
import { JwtService } from '@nestjs/jwt';
import uws, { type us_listen_socket, type WebSocket } from 'uwebsockets';
import { CREATE, isNewReservation, KEY, reserve, STATUS_CHANGED } from '../venue.js';
import { serve } from './control.js';

interface User {
  readonly userId: string;
  readonly room: string;
}

await serve(async () => {
  const jwt = new JwtService({ secret: KEY });
  const clients = new Set<WebSocket<User>>();
  const app = uws.App();
  app.ws<User>('/*', {
    idleTimeout: 60,
    sendPingsAutomatically: true,
    maxBackpressure: 1_048_576,
    upgrade(response, request, context) {
      let userId: string;
      try {
        userId = (jwt.verify(request.getHeader('authorization').slice(7)) as { sub: string }).sub;
      } catch {
        response.writeStatus('401 Unauthorized').end();
        return;
      }
      response.upgrade(
        { userId, room: request.getQuery('room') ?? 'venue:1' },
        request.getHeader('sec-websocket-key'),
        request.getHeader('sec-websocket-protocol'),
        request.getHeader('sec-websocket-extensions'),
        context,
      );
    },
    open(ws) {
      const { userId, room } = ws.getUserData();
      clients.add(ws);
      ws.subscribe('all');
      ws.subscribe(`user:${userId}`);
      ws.subscribe(room);
      ws.send('{"type":"hello"}');
    },
    message(ws, data) {
      const { type, id, payload } = JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>;
      if (type === CREATE && isNewReservation(payload)) {
        ws.send(JSON.stringify({ type: '$reply', id, payload: reserve(payload) }));
      } else {
        ws.send(JSON.stringify({ type: '$error', id }));
      }
    },
    close(ws) {
      clients.delete(ws);
    },
  });
  const listening = await new Promise<us_listen_socket>((resolve, reject) => {
    app.listen('127.0.0.1', 0, (socket) => (socket ? resolve(socket) : reject(new Error('no port'))));
  });
  const publish = (topic: string, payload: unknown) =>
    app.publish(topic, JSON.stringify({ type: STATUS_CHANGED, payload }));
  return {
    port: uws.us_socket_local_port(listening),
    broadcast: (message) => publish('all', message),
    sendToRoom: publish,
    sendToUser: (userId, message) => publish(`user:${userId}`, message),
    joinAll: (count) => {
      for (const ws of clients) for (let i = 0; i < count; i++) ws.subscribe(`room:${i}`);
    },
  };
});
