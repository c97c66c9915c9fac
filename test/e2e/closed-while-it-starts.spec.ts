import { NestFactory } from '@nestjs/core';
import { Module } from '@nestjs/common';
import { RealtimeModule } from 'nestjs-realtime';
import { expect, it } from 'vitest';
import { RedisServer } from '../rig/redis/redis-server.js';
import { until } from '../rig/clock/until.js';
import { ProcessFaults } from '../rig/process/process-faults.js';
import { RestaurantGateway } from './restaurant.js';

it('an app closed during its start leaves no connection to Redis, and no error', async () => {
  const redis = await RedisServer.start();
  const faults = new ProcessFaults();
  @Module({ imports: [RealtimeModule.forRoot({ redis: redis.url })], providers: [RestaurantGateway] })
  class AppModule {}
  // The list includes the connection that runs this command.
  const connections = async () =>
    String(await redis.call('CLIENT', 'LIST'))
      .trim()
      .split('\n').length - 1;
  try {
    for (let turns = 0; turns <= 60; turns += 3) {
      const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
      const started = app.init().catch(() => {});
      for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
      await app.close();
      await started;
    }
    await until('every connection is closed', async () => (await connections()) === 0);
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(await connections()).toBe(0);
    expect(faults.seen).toEqual([]);
  } finally {
    faults.stop();
    await redis.kill();
  }
});
