import { Controller, Get, Injectable, Module, Post, type OnModuleInit } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Broadcaster, ConnectionRegistry, RealtimeModule } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { restaurant, RestaurantGateway } from './restaurant.js';

const change = { type: 'table:status_changed', payload: { tableId: 't1', status: 'free' } } as const;

const receipt = (delivered: number) => ({
  delivered,
  dropped: 0,
  nodes: 0,
  missingNodes: 0,
  scope: 'cluster',
  failure: null,
});

@Injectable()
class Announcer implements OnModuleInit {
  early: unknown;

  constructor(private readonly broadcaster: Broadcaster<typeof restaurant>) {}

  async onModuleInit(): Promise<void> {
    this.early = await this.announce();
  }

  announce() {
    return this.broadcaster.sendToRoom('floor', change);
  }
}

@Controller('tables')
class TablesController {
  constructor(private readonly announcer: Announcer) {}

  @Get()
  list(): string[] {
    return ['t1'];
  }

  @Post('announce')
  announce() {
    return this.announcer.announce();
  }
}

let app: RealtimeTestApp;
afterEach(() => app.close());

describe.each([
  ['Express', () => undefined],
  ['Fastify', () => new FastifyAdapter()],
])('on %s', (_name, adapter) => {
  const start = async () => {
    const http = adapter();
    app = await createRealtimeTestApp(
      {
        imports: [RealtimeModule.forRoot()],
        controllers: [TablesController],
        providers: [RestaurantGateway, Announcer],
      },
      http === undefined ? {} : { adapter: http },
    );
  };

  it('replies to a plain WebSocket after one import', async () => {
    await start();
    const client = app.open('/ws');
    expect(await client.hello()).toMatchObject({ userId: null, maxPayloadBytes: 65_536, recovered: false });
    expect(await client.request('table:reserve', { tableId: 't1', partySize: 2 })).toEqual({
      id: 'r-t1',
      tableId: 't1',
      partySize: 2,
    });
  });

  it('sends from an HTTP controller through a service', async () => {
    await start();
    const client = await app.connect('/ws');
    const response = await fetch(`${app.url}/tables/announce`, { method: 'POST' });
    expect(await response.json()).toEqual(receipt(1));
    expect(await client.next()).toEqual(change);
  });

  it('sends before the app listens, to no connection', async () => {
    await start();
    expect(app.get(Announcer).early).toEqual(receipt(0));
  });

  it('does not change plain HTTP', async () => {
    await start();
    expect(await (await fetch(`${app.url}/tables`)).json()).toEqual(['t1']);
    expect((await fetch(`${app.url}/ws`)).status).toBe(404);
  });
});

describe('the module', () => {
  it('takes options from a factory with dependencies', async () => {
    @Module({ providers: [{ provide: 'limit', useValue: 1_000 }], exports: ['limit'] })
    class Limits {}
    app = await createRealtimeTestApp({
      imports: [
        RealtimeModule.forRootAsync({
          imports: [Limits],
          inject: ['limit'],
          useFactory: async (limit: number) => ({ maxPayloadBytes: limit }),
        }),
      ],
      providers: [RestaurantGateway],
    });
    expect(await app.open('/ws').hello()).toMatchObject({ maxPayloadBytes: 1_000 });
  });

  it('sends from an interval', async () => {
    app = await createRealtimeTestApp({
      imports: [RealtimeModule.forRoot()],
      providers: [RestaurantGateway],
    });
    const broadcaster = app.get(Broadcaster);
    const client = await app.connect('/ws');
    const interval = setInterval(() => void broadcaster.broadcast(change), 5);
    expect(await client.next()).toEqual(change);
    expect(await client.next()).toEqual(change);
    clearInterval(interval);
  });

  it('is global: a gateway in another module needs no import', async () => {
    @Module({ providers: [RestaurantGateway, Announcer] })
    class FloorModule {}
    app = await createRealtimeTestApp({ imports: [FloorModule, RealtimeModule.forRoot()] });
    await app.connect('/ws');
    expect(await app.get(Announcer).announce()).toMatchObject({ delivered: 1 });
    expect(app.get(ConnectionRegistry).size).toBe(1);
  });
});
