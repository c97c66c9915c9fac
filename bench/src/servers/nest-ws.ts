// Nest's own platform-ws with the pipe and a guard, as its documentation shows.
import 'reflect-metadata';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable, Module, UseGuards, UsePipes, ValidationPipe, type CanActivate } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtService } from '@nestjs/jwt';
import { WsAdapter } from '@nestjs/platform-ws';
import {
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type OnGatewayConnection,
  type WsResponse,
} from '@nestjs/websockets';
import type { Server, WebSocket } from 'ws';
import { KEY, reserve, STATUS_CHANGED } from '../venue.js';
import { serve } from './control.js';
import { CreateReservation, type Reservation } from './reservation.dto.js';

const jwt = new JwtService({ secret: KEY });
const ALIVE = Symbol('alive');

@Injectable()
class AllowGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@WebSocketGateway({ path: '/ws', perMessageDeflate: false })
@UseGuards(AllowGuard)
@UsePipes(new ValidationPipe({ whitelist: true, transform: true }))
class VenueGateway implements OnGatewayConnection<WebSocket> {
  @WebSocketServer() server!: Server;

  handleConnection(client: WebSocket & { [ALIVE]?: boolean }, request: IncomingMessage): void {
    try {
      jwt.verify((request.headers.authorization ?? '').slice(7));
    } catch {
      client.close(4401);
      return;
    }
    client[ALIVE] = true;
    client.on('pong', alive);
    client.send('{"event":"hello"}');
  }

  @SubscribeMessage('reservation:create')
  create(@MessageBody() payload: CreateReservation): WsResponse<Reservation> {
    return { event: 'reservation:create', data: reserve(payload) };
  }
}

function alive(this: WebSocket & { [ALIVE]?: boolean }): void {
  this[ALIVE] = true;
}

@Module({ providers: [VenueGateway] })
class AppModule {}

await serve(async () => {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  app.useWebSocketAdapter(new WsAdapter(app));
  await app.listen(0, '127.0.0.1');
  const { server } = app.get(VenueGateway);
  setInterval(() => {
    for (const client of server.clients as Set<WebSocket & { [ALIVE]?: boolean }>) {
      if (client[ALIVE] !== true) client.terminate();
      client[ALIVE] = false;
      client.ping();
    }
  }, 25_000);
  return {
    port: (app.getHttpServer().address() as AddressInfo).port,
    broadcast: (data) => {
      const bytes = Buffer.from(JSON.stringify({ event: STATUS_CHANGED, data }));
      for (const client of server.clients) client.send(bytes, { binary: false });
    },
  };
});
