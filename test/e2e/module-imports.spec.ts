import { Injectable, Module } from '@nestjs/common';
import {
  Broadcaster,
  MemoryBackplane,
  MemoryHub,
  RealtimeModule,
  type RealtimeOptions,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LobbyGateway, Visits, lobbyContract } from '../gateway/lobby.js';

type Imports = NonNullable<Parameters<typeof Module>[0]['imports']>;

@Injectable()
class Sender {
  constructor(readonly broadcaster: Broadcaster) {}
}

async function start(imports: Imports): Promise<RealtimeTestApp> {
  const app = await createRealtimeTestApp({ imports, providers: [LobbyGateway, Visits, Sender] });
  onTestFinished(() => app.close());
  return app;
}

function featureWith(imports: Imports) {
  @Module({ imports })
  class FeatureModule {}
  return FeatureModule;
}

const emitter = () =>
  RealtimeModule.forEmitter({ backplane: new MemoryBackplane(new MemoryHub()), contracts: [lobbyContract] });
const options = (value: unknown = {}) => ({ useFactory: () => value as RealtimeOptions });

describe('RealtimeModule', () => {
  it('imported as a bare class uses the default of every option', async () => {
    const app = await start([RealtimeModule]);
    const client = await app.connect('/lobby');
    expect(await client.request('say', { text: 'hello' })).toEqual({ text: 'hello' });
    expect(app.get(Sender).broadcaster).toBeInstanceOf(Broadcaster);
  });

  const KEEP_ONE = ': keep one of them, in the root module. What it exports is injectable in every module.';
  const twice: [how: string, root: () => Imports, sentence: string][] = [
    [
      'forRoot twice',
      () => [RealtimeModule.forRoot(), featureWith([RealtimeModule.forRoot()])],
      'RealtimeModule is imported 2 times in TestModule and FeatureModule: keep one of them, in the root module.',
    ],
    [
      'forRoot beside forRootAsync',
      () => [RealtimeModule.forRoot(), RealtimeModule.forRootAsync(options())],
      'RealtimeModule is imported 2 times',
    ],
    [
      'forRootAsync twice',
      () => [RealtimeModule.forRootAsync(options()), RealtimeModule.forRootAsync(options())],
      'RealtimeModule is imported 2 times',
    ],
    [
      'the bare class beside forRoot',
      () => [RealtimeModule.forRoot(), featureWith([RealtimeModule])],
      'RealtimeModule is imported 2 times',
    ],
    [
      'forEmitter beside forRoot',
      () => [RealtimeModule.forRoot(), emitter()],
      'RealtimeModule is imported 2 times in TestModule, as RealtimeModule and RealtimeModule.forEmitter(): ',
    ],
    ['forEmitter twice', () => [emitter(), emitter()], 'RealtimeModule is imported 2 times'],
  ];
  it.each(twice)('%s is refused at start with the fix', async (_how, root, sentence) => {
    const started = start(root());
    await expect(started).rejects.toThrow(sentence);
    await expect(started).rejects.toThrow(KEEP_ONE);
  });

  it('may be one dynamic module in the imports of several modules', async () => {
    const realtime = RealtimeModule.forRoot();
    const app = await start([realtime, featureWith([realtime])]);
    await app.connect('/lobby');
  });

  it('may be used by two apps in one process', async () => {
    await start([RealtimeModule.forRoot()]);
    const app = await start([RealtimeModule.forRoot()]);
    await app.connect('/lobby');
  });

  it('refuses a factory that returns no options', async () => {
    // Without options every client would be accepted.
    for (const value of [undefined, null]) {
      await expect(
        start([RealtimeModule.forRootAsync({ useFactory: () => value as never })]),
      ).rejects.toThrow(
        `RealtimeModule expected an options object, got ${String(value)}: return one from useFactory, {} for the defaults.`,
      );
    }
  });
});

describe('forEmitter', () => {
  const start2 = (value: unknown) =>
    start([RealtimeModule.forEmitterAsync({ useFactory: () => value as never })]);

  it('refuses values that are not options, and options for sockets', async () => {
    await expect(start2(undefined)).rejects.toThrow(
      'RealtimeModule.forEmitter() expected an options object, got undefined: give it redis and contracts.',
    );
    await expect(start2({ contract: [] })).rejects.toThrow(
      'RealtimeModule has no option "contract": did you mean "contracts"?',
    );
    await expect(start2({ maxConnections: 5 })).rejects.toThrow(
      'RealtimeModule has no option "maxConnections": the options are redis, redisPrefix, backplane, contracts.',
    );
  });
});
