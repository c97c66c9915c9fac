import { Injectable, Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Broadcaster,
  ConnectionRegistry,
  MemoryBackplane,
  MemoryHub,
  RealtimeHealth,
  RealtimeModule,
  type EmitterOptions,
  type Publication,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RedisServer } from '../rig/redis/redis-server.js';
import { restaurant, RestaurantGateway } from './restaurant.js';

const change = { type: 'table:status_changed', payload: { tableId: 't1', status: 'free' } } as const;

/** A worker's own provider. */
@Injectable()
class NightlyReport {
  constructor(readonly broadcaster: Broadcaster<typeof restaurant>) {}
}

async function startWorker(options: EmitterOptions): Promise<INestApplicationContext> {
  return startWorkerWith(RealtimeModule.forEmitter(options));
}

async function startWorkerWith(emitter: DynamicModule): Promise<INestApplicationContext> {
  class WorkerModule {}
  Module({ imports: [emitter], providers: [NightlyReport] })(WorkerModule);
  const worker = await NestFactory.createApplicationContext(WorkerModule, {
    logger: false,
    abortOnError: false,
  });
  onTestFinished(() => worker.close());
  return worker;
}

let redis: RedisServer;
let nodes: RealtimeTestApp[];
/** Ann is on both nodes, Bob on the second. */
let clients: [TestClient, TestClient, TestClient];
let ids: string[];

beforeAll(async () => {
  redis = await RedisServer.start();
  const start = () =>
    createRealtimeTestApp({
      imports: [
        RealtimeModule.forRoot({ redis: redis.url, authenticate: ({ token }) => ({ userId: token }) }),
      ],
      providers: [RestaurantGateway],
    });
  nodes = [await start(), await start()];
  const [here, there] = nodes as [RealtimeTestApp, RealtimeTestApp];
  clients = [
    here.open('/ws', { token: 'ann' }),
    there.open('/ws', { token: 'ann' }),
    there.open('/ws', { token: 'bob' }),
  ];
  ids = [];
  for (const client of clients) ids.push((await client.hello()).connectionId);
});
afterAll(async () => {
  for (const node of nodes ?? []) await node.close();
  await redis?.kill();
});

const emitterOf = (worker: INestApplicationContext) => worker.get(NightlyReport).broadcaster;

describe('a process without sockets', () => {
  it('sends to users, rooms, connections and everyone, and counts confirmations', async () => {
    const emitter = emitterOf(await startWorker({ redis: redis.url, contracts: [restaurant] }));
    const [annHere, annThere, bobThere] = clients;
    const sends = [
      { receipt: emitter.sendToUser('ann', change, { confirmWithinMs: 2_000 }), to: [annHere, annThere] },
      { receipt: emitter.sendToUsers(['bob'], change, { confirmWithinMs: 2_000 }), to: [bobThere] },
      { receipt: emitter.sendToRoom('floor', change, { confirmWithinMs: 2_000 }), to: clients },
      { receipt: emitter.sendToConnection(ids[2] ?? '', change, { confirmWithinMs: 2_000 }), to: [bobThere] },
      { receipt: emitter.broadcast(change, { confirmWithinMs: 2_000 }), to: clients },
    ];
    for (const { receipt, to } of sends) {
      expect(await receipt).toMatchObject({ delivered: to.length, missingNodes: 0, failure: null });
      for (const client of to) expect(await client.next()).toMatchObject(change);
    }
    expect(await emitter.sendToUser('carol', change)).toMatchObject({ delivered: 0, nodes: 0 });
  });

  it('sends a request to a client on any node and gets its reply', async () => {
    const emitter = emitterOf(await startWorker({ redis: redis.url, contracts: [restaurant] }));
    const reply = emitter.requestFromUser('bob', { type: 'host:ask', payload: { text: 'tea?' } });
    const { id = '' } = await clients[2].nextOfType('$request');
    clients[2].send({ type: '$reply', id, payload: { yes: true } });
    expect(await reply).toEqual({ yes: true });
    await expect(
      emitter.requestFromUser('carol', { type: 'host:ask', payload: { text: 'tea?' } }),
    ).rejects.toMatchObject({ name: 'ClientRequestError', code: 'UNAVAILABLE' });
  });

  it('moves users between rooms and disconnects them', async () => {
    const emitter = emitterOf(await startWorker({ redis: redis.url, contracts: [restaurant] }));
    expect(await emitter.joinRoom('ann', 'bar')).toMatchObject({ delivered: 2, missingNodes: 0 });
    expect(nodes.map((node) => node.get(ConnectionRegistry).inRoom('bar').length)).toEqual([1, 1]);
    expect(await emitter.leaveRoom('ann', 'bar')).toMatchObject({ delivered: 2 });
    const carl = await nodes[0]?.connect('/ws', { token: 'carl' });
    expect(await emitter.disconnectUser('carl')).toMatchObject({ delivered: 1, missingNodes: 0 });
    expect((await carl?.closed)?.code).toBe(4500);
  });

  it('opens one connection for commands and one for subscriptions, and subscribes only to its own node', async () => {
    const connections = async () =>
      String(await redis.call('CLIENT', 'LIST'))
        .trim()
        .split('\n').length;
    const channels = async () => (await redis.call('PUBSUB', 'CHANNELS', '*')) as string[];
    const before = { connections: await connections(), channels: await channels() };
    const worker = await startWorker({ redis: redis.url, contracts: [restaurant] });
    expect((await connections()) - before.connections).toBe(2);
    const opened = (await channels()).filter((channel) => !before.channels.includes(channel));
    const kinds = new Set(opened.map((channel) => /:(c:node|probe):/.exec(channel)?.[1]));
    expect(opened).toHaveLength(2);
    expect(kinds).toEqual(new Set(['c:node', 'probe']));
    await worker.close();
    await expect.poll(connections, { timeout: 5_000 }).toBe(before.connections);
  });

  it('reports up, and down once it has closed', async () => {
    const worker = await startWorker({ redis: redis.url, contracts: [restaurant] });
    const health = worker.get(RealtimeHealth);
    expect(health.report()).toMatchObject({ status: 'up', connections: 0 });
    await worker.close();
    expect(health.report().status).toBe('down');
  });

  it('takes the delivery of its messages from their contracts', async () => {
    const hub = new MemoryHub();
    const node = new MemoryBackplane(hub);
    const received: Publication[] = [];
    await node.start({
      receive: (_channel, publication) => void received.push(publication),
      stateChanged: () => {},
      interrupted: () => {},
    });
    node.subscribe('all');
    const backplane = new MemoryBackplane(hub);
    const emitter = emitterOf(await startWorker({ backplane, contracts: [restaurant] }));
    await emitter.broadcast({ type: 'cursor:moved', payload: { tableId: 't1' } });
    await emitter.broadcast(change);
    expect(received).toMatchObject([
      { type: 'cursor:moved', delivery: 'volatile' },
      { type: 'table:status_changed', delivery: 'live' },
    ]);
  });

  it('takes its options from an async factory', async () => {
    const worker = await startWorkerWith(
      RealtimeModule.forEmitterAsync({ useFactory: () => ({ redis: redis.url, contracts: [restaurant] }) }),
    );
    expect(await emitterOf(worker).sendToRoom('floor', change)).toMatchObject({ nodes: 2, failure: null });
    for (const client of clients) await client.next();
  });

  it('starts while Redis is down, reports that in its receipts, and reaches everyone once Redis is up', async () => {
    const own = await RedisServer.start();
    onTestFinished(() => own.kill());
    await own.kill();
    const emitter = emitterOf(await startWorker({ redis: own.url, contracts: [restaurant] }));
    expect(await emitter.broadcast(change)).toMatchObject({ scope: 'node', failure: 'unavailable' });
    await own.start();
    const failure = async () => (await emitter.broadcast(change)).failure;
    await expect.poll(failure, { timeout: 15_000 }).toBe(null);
  }, 40_000);

  it('refuses to start without Redis, with an error that names the option', async () => {
    await expect(startWorker({ redis: undefined, contracts: [restaurant] })).rejects.toThrow(
      /expected the option redis/,
    );
    const misspelt = { redis: redis.url, contract: restaurant } as unknown as EmitterOptions;
    await expect(startWorker(misspelt)).rejects.toThrow(/no option "contract"/);
  });

  it.each([[undefined], [[]], [restaurant], [[{}]]])(
    'refuses to start without contracts: %#',
    async (contracts) => {
      const options = { redis: redis.url, contracts } as unknown as EmitterOptions;
      await expect(startWorker(options)).rejects.toThrow(
        /forEmitter\(\) expected the option contracts, .*: give it the contracts of the messages/,
      );
    },
  );

  it('refuses a message that is in none of its contracts', async () => {
    const emitter = emitterOf(await startWorker({ redis: redis.url, contracts: [restaurant] }));
    await expect(emitter.broadcast({ type: 'table:gone', payload: {} } as never)).rejects.toThrow(
      'got the type "table:gone"',
    );
  });
});
