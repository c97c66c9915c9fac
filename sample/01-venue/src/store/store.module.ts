import { randomBytes } from 'node:crypto';
import { Global, Module } from '@nestjs/common';
import { initialState } from '../venue-file.js';
import { VenueStore, VENUE_DATABASE, type VenueDatabase } from './venue-store.js';
import { MemoryDatabase } from './memory-database.js';
import { RedisDatabase } from './redis-database.js';

/** The key that signs tokens. */
export const SECRET = Symbol('secret');

/** The state that all servers share: in Redis with `REDIS_URL`, otherwise in this process. */
@Global()
@Module({
  providers: [
    VenueStore,
    {
      provide: VENUE_DATABASE,
      useFactory: () => {
        const { REDIS_URL } = process.env;
        return REDIS_URL ? RedisDatabase.open(REDIS_URL, initialState) : new MemoryDatabase(initialState());
      },
    },
    {
      provide: SECRET,
      inject: [VENUE_DATABASE],
      useFactory: (database: VenueDatabase) => {
        const given = process.env.JWT_SECRET;
        const secret = given ?? randomBytes(32).toString('base64url');
        return given === undefined && database instanceof RedisDatabase ? database.secret(secret) : secret;
      },
    },
  ],
  exports: [VenueStore, SECRET],
})
export class StoreModule {}
