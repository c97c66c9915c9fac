// This library with its defaults: contract, guard, validation, heartbeats, rate limits, metrics.
import 'reflect-metadata';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtService } from '@nestjs/jwt';
import type { OnGatewayConnection } from '@nestjs/websockets';
import {
  Broadcaster,
  ConnectionRegistry,
  defineContract,
  OnMessage,
  RealtimeGateway,
  RealtimeModule,
  type Connection,
} from 'nestjs-realtime';
import { KEY, reserve } from '../venue.js';
import { serve } from './control.js';
import { CreateReservation, Reservation, TableStatusChanged } from './reservation.dto.js';

const venue = defineContract({
  client: { 'reservation:create': { payload: CreateReservation, reply: Reservation } },
  server: { 'table:status_changed': { payload: TableStatusChanged } },
});

@RealtimeGateway({ path: '/ws', contract: venue })
class VenueGateway implements OnGatewayConnection<Connection> {
  handleConnection(connection: Connection, request: IncomingMessage): Promise<void> {
    const room = new URL(request.url ?? '/', 'http://localhost').searchParams.get('room');
    return connection.join(room ?? 'venue:1');
  }

  @OnMessage(venue, 'reservation:create')
  create(payload: CreateReservation): Reservation {
    return reserve(payload);
  }
}

await serve(async ({ redisPort }) => {
  const jwt = new JwtService({ secret: KEY });

  @Module({
    imports: [
      RealtimeModule.forRoot({
        redis: redisPort === undefined ? undefined : `redis://127.0.0.1:${redisPort}`,
        authenticate: ({ token }) => {
          const { sub, exp } = jwt.verify<{ sub: string; exp: number }>(token ?? '');
          return { userId: sub, expiresAt: exp * 1_000 };
        },
        // The bench sends requests as fast as it can.
        rateLimit: {
          messagesPerSecond: 1_000_000,
          burstMessages: 1_000_000,
          bytesPerSecond: 1_000_000_000,
          burstBytes: 1_000_000_000,
        },
      }),
    ],
    providers: [VenueGateway],
  })
  class AppModule {}

  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');
  const broadcaster = app.get<Broadcaster<typeof venue>>(Broadcaster);
  const registry = app.get(ConnectionRegistry);
  return {
    port: (app.getHttpServer().address() as AddressInfo).port,
    broadcast: (payload) => void broadcaster.broadcast({ type: 'table:status_changed', payload }),
    sendToRoom: (room, payload) =>
      void broadcaster.sendToRoom(room, { type: 'table:status_changed', payload }),
    sendToUser: (userId, payload) =>
      void broadcaster.sendToUser(userId, { type: 'table:status_changed', payload }),
    joinAll: async (count) => {
      for (const connection of registry) {
        await Promise.all(Array.from({ length: count }, (_, i) => connection.join(`room:${i}`)));
      }
    },
  };
});
