import { once } from 'node:events';
import type { Server } from 'node:http';
import {
  Global,
  Injectable,
  Module,
  type DynamicModule,
  type ModuleMetadata,
  type OnModuleDestroy,
  type Type,
} from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { OnMessage, RealtimeGateway, RealtimeModule, defineContract, type Connection } from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestAppOptions } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Gate } from '../rig/clock/gate.js';
import { LobbyGateway as PlainLobbyGateway, Visits, Words } from './lobby.js';

/** A pool of database connections that closes with the app. */
@Injectable()
class Database implements OnModuleDestroy {
  readonly gate = new Gate();
  isOpen = true;
  running = 0;
  /** Queries made after it had closed. */
  readonly refused: string[] = [];

  onModuleDestroy(): void {
    this.isOpen = false;
  }

  async read(text: string): Promise<string> {
    this.running++;
    await this.gate.opened;
    await new Promise((resolve) => setImmediate(resolve));
    if (this.isOpen) return text;
    this.refused.push(text);
    throw new Error('the database is closed');
  }
}

const library = defineContract({ client: { hold: { payload: Words, reply: Words } } });

@RealtimeGateway({ path: '/lobby', contract: library })
class LobbyGateway {
  constructor(private readonly database: Database) {}

  async handleDisconnect(connection: Connection): Promise<void> {
    await this.database.read(`farewell ${connection.id}`);
  }

  @OnMessage(library, 'hold')
  async hold({ text }: Words): Promise<Words> {
    return { text: await this.database.read(text) };
  }
}

@Module({ providers: [Database], exports: [Database] })
class DatabaseModule {}

@Global()
@Module({ providers: [Database], exports: [Database] })
class GlobalDatabaseModule {}

@Module({})
class DynamicDatabaseModule {
  static forRoot(): DynamicModule {
    return { module: DynamicDatabaseModule, providers: [Database], exports: [Database] };
  }
}

const gateway = { providers: [LobbyGateway] };
const realtime = () => RealtimeModule.forRoot({ drain: { timeoutMs: 5_000 } });

function module(metadata: ModuleMetadata): Type<unknown> {
  class FeatureModule {}
  Module(metadata)(FeatureModule);
  return FeatureModule;
}

const orders: [string, () => ModuleMetadata][] = [
  ['a provider of the root module', () => ({ imports: [realtime()], providers: [Database, LobbyGateway] })],
  ['a module imported after ours', () => ({ imports: [realtime(), DatabaseModule], ...gateway })],
  ['a module imported before ours', () => ({ imports: [DatabaseModule, realtime()], ...gateway })],
  ['a global module', () => ({ imports: [GlobalDatabaseModule, realtime()], ...gateway })],
  ['a dynamic module', () => ({ imports: [realtime(), DynamicDatabaseModule.forRoot()], ...gateway })],
  [
    'a module below a feature module',
    () => ({
      imports: [module({ imports: [module({ imports: [DatabaseModule], ...gateway })] }), realtime()],
    }),
  ],
  [
    'a module beside ours, both below a feature module',
    () => ({
      imports: [module({ imports: [module({ imports: [realtime()] }), DatabaseModule], ...gateway })],
    }),
  ],
  [
    'what our own options are made of',
    () => ({
      imports: [
        RealtimeModule.forRootAsync({
          imports: [DatabaseModule],
          inject: [Database],
          useFactory: (database: Database) => ({
            drain: { timeoutMs: 5_000 },
            authenticate: () => ({ userId: String(database.isOpen) }),
          }),
        }),
        DatabaseModule,
      ],
      ...gateway,
    }),
  ],
];

const platforms: [string, () => Pick<RealtimeTestAppOptions, 'adapter'>][] = [
  ['Express', () => ({})],
  ['Fastify', () => ({ adapter: new FastifyAdapter() })],
];

async function openApp(metadata: ModuleMetadata, extras: RealtimeTestAppOptions = {}) {
  const app = await createRealtimeTestApp(metadata, extras);
  onTestFinished(() => app.close());
  return app;
}

describe.each(platforms)('app.close() on %s', (_platform, extras) => {
  it.each(orders)('lets handlers and hooks finish while their database is %s', async (_name, metadata) => {
    const app = await openApp(metadata(), extras());
    const database = app.get(Database);
    const clients = await Promise.all(Array.from({ length: 10 }, () => app.connect('/lobby')));
    for (const client of clients) client.send({ type: 'hold', id: 1, payload: { text: 'a' } });
    await expect.poll(() => database.running).toBe(10);
    const closing = app.app.close();
    await Promise.all(clients.map((client) => client.nextOfType('$goaway')));
    database.gate.open();
    expect(await Promise.all(clients.map((client) => client.reply(1)))).toEqual(
      Array.from({ length: 10 }, () => ({ text: 'a' })),
    );
    await closing;
    expect(database.refused).toEqual([]);
    expect([database.running, database.isOpen]).toEqual([20, false]);
  });
});

describe('sockets of another upgrade listener', () => {
  async function openBeside(timeoutMs: number) {
    const app = await openApp({
      imports: [RealtimeModule.forRoot({ drain: { timeoutMs } })],
      providers: [PlainLobbyGateway, Visits],
    });
    const other = new WebSocketServer({ server: app.app.getHttpServer() as Server, path: '/graphql' });
    onTestFinished(() => other.close());
    const socket = new WebSocket(`ws://127.0.0.1:${app.port}/graphql`);
    await once(socket, 'open');
    const closed = once(socket, 'close') as Promise<[number]>;
    return { app, other, closed };
  }

  it('that stay open do not delay app.close()', async () => {
    const { app, closed } = await openBeside(300);
    const startedAt = performance.now();
    await app.app.close();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect((await closed)[0]).toBe(1006);
  });

  it('may be closed by their owner', async () => {
    const { app, other, closed } = await openBeside(5_000);
    const closing = app.app.close();
    for (const socket of other.clients) socket.close(1001);
    await closing;
    expect((await closed)[0]).toBe(1001);
  });
});
