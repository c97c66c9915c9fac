import { Module, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { JwtModule, JwtService } from '@nestjs/jwt';
import { RealtimeModule } from 'nestjs-realtime';
import { StoreModule, SECRET } from './store/store.module.js';
import { HealthController } from './health.controller.js';
import { limits } from './limits.js';
import { NotificationsController } from './notifications/notifications.controller.js';
import { ReservationsController } from './reservations/reservations.controller.js';
import { ReservationsService } from './reservations/reservations.service.js';
import { SeatingService } from './seating/seating.service.js';
import { identify, TOKEN_COOKIE, TOKEN_SECONDS } from './sign-in/identity.js';
import { SignInController } from './sign-in/sign-in.controller.js';
import { TablesController } from './tables/tables.controller.js';
import { TablesService } from './tables/tables.service.js';
import { VenueGateway } from './venue.gateway.js';

@Module({
  imports: [
    StoreModule,
    JwtModule.registerAsync({
      global: true,
      inject: [SECRET],
      useFactory: (secret: string) => ({ secret, signOptions: { expiresIn: TOKEN_SECONDS } }),
    }),
    RealtimeModule.forRootAsync({
      inject: [JwtService],
      useFactory: (jwt: JwtService) => ({
        redis: process.env.REDIS_URL,
        ...limits,
        tokenCookie: TOKEN_COOKIE,
        authenticate: async ({ token }) => (token === undefined ? null : identify(jwt, token)),
      }),
    }),
  ],
  controllers: [
    HealthController,
    NotificationsController,
    ReservationsController,
    SignInController,
    TablesController,
  ],
  providers: [
    ReservationsService,
    SeatingService,
    TablesService,
    VenueGateway,
    {
      provide: APP_PIPE,
      useValue: new ValidationPipe({ whitelist: true, transform: true, stopAtFirstError: true }),
    },
  ],
})
export class VenueModule {}
