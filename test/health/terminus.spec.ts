import { Controller, Get, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { RealtimeHealth, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp } from 'nestjs-realtime/testing';
import { expect, it, onTestFinished } from 'vitest';
import { RealtimeHealthIndicator } from '../../lib/health/terminus.js';
import { Gate } from '../rig/clock/gate.js';
import { LobbyGateway, Visits } from '../gateway/lobby.js';

@Controller()
class HealthController {
  constructor(
    private readonly checks: HealthCheckService,
    private readonly realtime: RealtimeHealthIndicator,
  ) {}

  @Get('health')
  @HealthCheck()
  check() {
    return this.checks.check([() => this.realtime.isHealthy(), () => this.realtime.isHealthy('sockets')]);
  }
}

@Module({
  imports: [RealtimeModule.forRoot(), TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [LobbyGateway, Visits, RealtimeHealthIndicator],
})
class HealthyModule {}

async function healthyApp() {
  const app = await createRealtimeTestApp(HealthyModule);
  onTestFinished(() => app.close());
  const look = async () => {
    const answer = await fetch(`${app.url}/health`, { headers: { connection: 'close' } });
    return { status: answer.status, body: (await answer.json()) as { details: Record<string, unknown> } };
  };
  return { app, look };
}

it('a serving node is up, under the given key', async () => {
  const { app, look } = await healthyApp();
  await app.connect('/lobby');
  const { status, body } = await look();
  expect(status).toBe(200);
  expect(body.details['realtime']).toEqual({
    status: 'up',
    state: 'up',
    connections: 1,
    pendingSubscriptions: 0,
  });
  expect(body.details['sockets']).toEqual({
    status: 'up',
    state: 'up',
    connections: 1,
    pendingSubscriptions: 0,
  });
});

it('a draining node is down while its clients are still connected', async () => {
  const { app, look } = await healthyApp();
  const hook = new Gate();
  const leaves = new Gate();
  app.get(Visits).onDisconnect = () => {
    leaves.open();
    return hook.opened;
  };
  await app.connect('/lobby');
  const closing = app.close();
  await leaves.opened;
  const { status, body } = await look();
  expect(status).toBe(503);
  expect(body.details['realtime']).toEqual({
    status: 'down',
    state: 'draining',
    connections: 0,
    pendingSubscriptions: 0,
  });
  hook.open();
  await closing;
});

it('RealtimeHealth needs no health library, and is not ready before the start and after the close', async () => {
  const { app } = await healthyApp();
  const health = app.get(RealtimeHealth);
  expect(health.isReady).toBe(true);
  expect(health.report()).toMatchObject({ status: 'up', connections: 0, pendingSubscriptions: 0 });
  await app.close();
  expect(health.isReady).toBe(false);
});
