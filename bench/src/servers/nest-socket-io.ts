// Nest's platform-socket.io, WebSocket only, no compression; with a Redis adapter when there is a Redis.
import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import {
  Injectable,
  Module,
  UseGuards,
  UsePipes,
  ValidationPipe,
  type CanActivate,
  type INestApplication,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtService } from '@nestjs/jwt';
import { IoAdapter } from '@nestjs/platform-socket.io';
import {
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type OnGatewayConnection,
} from '@nestjs/websockets';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import type { Server, Socket } from 'socket.io';
import { KEY, reserve, STATUS_CHANGED } from '../venue.js';
import { serve, type ServerOptions } from './control.js';
import { CreateReservation, type Reservation } from './reservation.dto.js';

const jwt = new JwtService({ secret: KEY });

@Injectable()
class AllowGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@WebSocketGateway()
@UseGuards(AllowGuard)
@UsePipes(new ValidationPipe({ whitelist: true, transform: true }))
class VenueGateway implements OnGatewayConnection<Socket> {
  @WebSocketServer() server!: Server;

  async handleConnection(socket: Socket): Promise<void> {
    try {
      const { sub } = jwt.verify<{ sub: string }>((socket.handshake.headers.authorization ?? '').slice(7));
      await socket.join([`user:${sub}`, (socket.handshake.query['room'] as string | undefined) ?? 'venue:1']);
      socket.emit('hello');
    } catch {
      socket.disconnect(true);
    }
  }

  @SubscribeMessage('reservation:create')
  create(@MessageBody() payload: CreateReservation): Reservation {
    return reserve(payload);
  }
}

@Module({ providers: [VenueGateway] })
class AppModule {}

class FastIoAdapter extends IoAdapter {
  constructor(
    app: INestApplication,
    private readonly options: ServerOptions,
  ) {
    super(app);
  }

  override createIOServer(port: number) {
    const server = super.createIOServer(port, {
      transports: ['websocket'],
      perMessageDeflate: false,
      httpCompression: false,
      serveClient: false,
    } as never);
    const { redisPort, adapter } = this.options;
    if (redisPort !== undefined) {
      const publisher = new Redis(redisPort, { enableAutoPipelining: true });
      const subscriber = publisher.duplicate();
      server.adapter(
        adapter === 'sharded'
          ? createShardedAdapter(publisher, subscriber)
          : createAdapter(publisher, subscriber),
      );
    }
    return server;
  }
}

await serve(async (options) => {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  app.useWebSocketAdapter(new FastIoAdapter(app, options));
  await app.listen(0, '127.0.0.1');
  const { server } = app.get(VenueGateway);
  return {
    port: (app.getHttpServer().address() as AddressInfo).port,
    broadcast: (message) => void server.emit(STATUS_CHANGED, message),
    sendToRoom: (room, message) => void server.to(room).emit(STATUS_CHANGED, message),
    sendToUser: (userId, message) => void server.to(`user:${userId}`).emit(STATUS_CHANGED, message),
  };
});
