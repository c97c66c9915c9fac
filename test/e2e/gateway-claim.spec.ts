import { Injectable, Module, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { RealtimeGateway, RealtimeModule, defineContract } from 'nestjs-realtime';
import { createRealtimeTestApp, RealtimeTestApp, TestClient } from 'nestjs-realtime/testing';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LobbyGateway, Visits } from '../gateway/lobby.js';
import { CapturedLog } from '../rig/process/captured-log.js';

const empty = defineContract({});

@Injectable({ scope: Scope.REQUEST })
@RealtimeGateway({ path: '/scoped', contract: empty })
class ScopedGateway {}

const NO_MODULE =
  'has @RealtimeGateway, but no module imports RealtimeModule: add RealtimeModule.forRoot() to the imports of the root module.';
const OTHER_ADAPTER =
  "has @RealtimeGateway, but another WebSocket adapter than RealtimeModule's would serve it, without authentication and limits: " +
  'import RealtimeModule.forRoot() in the root module';

describe('a realtime gateway without RealtimeModule', () => {
  const gateways: [string, (new (...parameters: never[]) => object)[]][] = [
    ['LobbyGateway', [LobbyGateway, Visits]],
    ['ScopedGateway', [ScopedGateway]],
  ];

  it('does not start, and does not end the process', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => {
      throw new Error('exit');
    });
    onTestFinished(() => exit.mockRestore());
    for (const [name, providers] of gateways) {
      await expect(createRealtimeTestApp({ providers })).rejects.toThrow(`${name} ${NO_MODULE}`);
    }
    expect(exit).not.toHaveBeenCalled();
  });

  it.each(gateways)(
    'does not start with WsAdapter, which would accept every client: %s',
    async (name, providers) => {
      const started = createRealtimeTestApp(
        { providers },
        { configure: (app) => app.useWebSocketAdapter(new WsAdapter(app)) },
      );
      await expect(started).rejects.toThrow(`${name} ${OTHER_ADAPTER}`);
    },
  );

  it('does not start when the module is imported and another adapter binds it', async () => {
    const started = createRealtimeTestApp(
      { imports: [RealtimeModule.forRoot()], providers: [ScopedGateway] },
      { configure: (app) => app.useWebSocketAdapter(new WsAdapter(app)) },
    );
    await expect(started).rejects.toThrow(`ScopedGateway ${OTHER_ADAPTER}`);
  });

  it('can be created by a testing module with overridden dependencies', async () => {
    const module = await Test.createTestingModule({ providers: [LobbyGateway, Visits] }).compile();
    expect(module.get(LobbyGateway).say({ text: 'hello' })).toEqual({ text: 'hello' });
  });
});

describe('microservices', () => {
  @Module({ imports: [RealtimeModule.forRoot()], providers: [LobbyGateway, Visits] })
  class LobbyModule {}
  // 0 is TCP: Nest loads @nestjs/microservices by itself.
  const options = { transport: 0, options: { host: '127.0.0.1', port: 0 } };

  it('createMicroservice with a gateway fails with an error that names the missing HTTP server and the fix', async () => {
    const app = await NestFactory.createMicroservice(LobbyModule, {
      ...options,
      logger: false,
      abortOnError: false,
    });
    onTestFinished(() => app.close());
    await expect(app.listen()).rejects.toThrow(
      'RealtimeModule serves gateways by the HTTP server of the app, and NestFactory.createMicroservice() makes none: ' +
        'create the app with NestFactory.create() and add the microservice with app.connectMicroservice(), ' +
        'or import RealtimeModule.forEmitter() here and leave the gateways out.',
    );
  });

  it.each([
    ['at once', {}],
    ['later, with the configuration of the app', { deferInitialization: true, inheritAppConfig: true }],
  ])('connectMicroservice beside a gateway works: initialized %s', async (_when, hybrid) => {
    const app = await NestFactory.create(LobbyModule, { logger: false, abortOnError: false });
    onTestFinished(() => app.close());
    app.connectMicroservice(options, hybrid);
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    const client = new TestClient(`ws://127.0.0.1:${port}/lobby`);
    await client.hello();
    expect(await client.request('say', { text: 'hello' })).toEqual({ text: 'hello' });
    await client.close();
  });
});

describe("a gateway class that is in no module's providers", () => {
  it('is logged at start with the fix; base classes of registered gateways are not', async () => {
    @RealtimeGateway({ path: '/base', contract: empty })
    class BaseGateway {}
    @RealtimeGateway({ path: '/derived', contract: empty })
    class DerivedGateway extends BaseGateway {}
    @RealtimeGateway({ path: '/forgotten', contract: empty })
    class ForgottenGateway {}
    const log = new CapturedLog();
    const app: RealtimeTestApp = await createRealtimeTestApp(
      { imports: [RealtimeModule.forRoot()], providers: [DerivedGateway, LobbyGateway, Visits] },
      { logger: log },
    );
    onTestFinished(() => app.close());
    const warnings = log.of('warn').join();
    expect(warnings).toContain(
      `${ForgottenGateway.name} has @RealtimeGateway, but no module of this app has it in \`providers\`, so that nothing serves its path: add it to the providers of a module.`,
    );
    expect(warnings).not.toContain('BaseGateway has');
    expect(warnings).not.toContain('DerivedGateway has');
    expect(warnings).not.toContain('LobbyGateway has');
  });
});
