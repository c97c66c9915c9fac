import { IsString } from 'class-validator';
import {
  Broadcaster,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
  type Connection,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { RedisServer } from '../rig/redis/redis-server.js';

class Text {
  @IsString() text!: string;
}
const kitchen = defineContract({
  server: {
    'kitchen:called': { payload: Text },
    'kitchen:ask': { payload: Text, reply: Text },
    bell: { payload: Text },
  },
});
const bar = defineContract({ server: { 'bar:called': { payload: Text }, bell: { payload: Text } } });

@RealtimeGateway({ path: '/kitchen', contract: kitchen })
class KitchenGateway {
  handleConnection(connection: Connection): Promise<void> {
    return connection.join('staff');
  }
}
@RealtimeGateway({ path: '/bar', contract: bar })
class BarGateway {
  handleConnection(connection: Connection): Promise<void> {
    return connection.join('staff');
  }
}

let app: RealtimeTestApp;
beforeEach(async () => {
  app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot({ authenticate: () => ({ userId: 'ann' }) })],
    providers: [KitchenGateway, BarGateway],
  });
});
afterEach(() => app.close());

it('a message of one contract does not reach clients of another', async () => {
  const [cook, barkeeper] = [await app.connect('/kitchen'), await app.connect('/bar')];
  const broadcaster = app.get<Broadcaster<typeof kitchen>>(Broadcaster);
  const called = { type: 'kitchen:called', payload: { text: 'soup' } } as const;
  for (const send of [
    () => broadcaster.broadcast(called),
    () => broadcaster.sendToRoom('staff', called),
    () => broadcaster.sendToUser('ann', called),
  ]) {
    expect(await send()).toMatchObject({ delivered: 1, dropped: 0 });
    expect(await cook.next()).toEqual(called);
  }
  await broadcaster.broadcast({ type: 'bell', payload: { text: 'ding' } });
  expect((await barkeeper.next()).type).toBe('bell');
});

it('a message that is in both contracts reaches all clients', async () => {
  const clients = [await app.connect('/kitchen'), await app.connect('/bar')];
  const broadcaster = app.get<Broadcaster<typeof bar>>(Broadcaster);
  expect(await broadcaster.sendToRoom('staff', { type: 'bell', payload: { text: 'ding' } })).toMatchObject({
    delivered: 2,
  });
  for (const client of clients) expect((await client.next()).type).toBe('bell');
});

describe('a request to a user', () => {
  const ask = { type: 'kitchen:ask', payload: { text: 'ready?' } } as const;

  it('is sent only to connections on paths whose contract has it, and only they may reply', async () => {
    const [cook, barkeeper] = [await app.connect('/kitchen'), await app.connect('/bar')];
    const broadcaster = app.get<Broadcaster<typeof kitchen>>(Broadcaster);
    const reply = broadcaster.requestFromUser('ann', ask);
    const { id = '' } = await cook.nextOfType('$request');
    barkeeper.send({ type: '$reply', id, payload: { text: 'forged' } });
    await expect(barkeeper.request('nothing')).rejects.toMatchObject({ code: 'UNKNOWN_TYPE' });
    expect(barkeeper.frames).toEqual([]);
    cook.send({ type: '$reply', id, payload: { text: 'yes' } });
    expect(await reply).toEqual({ text: 'yes' });
  });

  it('rejects with UNAVAILABLE when the user is on another path only', async () => {
    const barkeeper = await app.connect('/bar');
    const reply = app.get<Broadcaster<typeof kitchen>>(Broadcaster).requestFromUser('ann', ask);
    await expect(reply).rejects.toMatchObject({ name: 'ClientRequestError', code: 'UNAVAILABLE' });
    await expect(barkeeper.request('nothing')).rejects.toMatchObject({ code: 'UNKNOWN_TYPE' });
    expect(barkeeper.frames).toEqual([]);
  });
});

describe('two nodes on one Redis', () => {
  async function openNodes(there: readonly (typeof KitchenGateway | typeof BarGateway)[]) {
    const redis = await RedisServer.start();
    onTestFinished(() => redis.kill());
    const open = async (providers: readonly (typeof KitchenGateway | typeof BarGateway)[]) => {
      const node = await createRealtimeTestApp({
        imports: [RealtimeModule.forRoot({ redis: redis.url, authenticate: () => ({ userId: 'ann' }) })],
        providers: [...providers],
      });
      onTestFinished(() => node.close());
      return node;
    };
    const nodes = { here: await open([KitchenGateway]), there: await open(there) };
    return { ...nodes, broadcaster: nodes.here.get<Broadcaster<typeof kitchen>>(Broadcaster) };
  }

  it('send a request only to connections on paths whose contract has it', async () => {
    const { there, broadcaster } = await openNodes([KitchenGateway, BarGateway]);
    const [cook, barkeeper] = [await there.connect('/kitchen'), await there.connect('/bar')];
    const reply = broadcaster.requestFromUser('ann', { type: 'kitchen:ask', payload: { text: 'ready?' } });
    const { id = '' } = await cook.nextOfType('$request');
    cook.send({ type: '$reply', id, payload: { text: 'yes' } });
    expect(await reply).toEqual({ text: 'yes' });
    await expect(barkeeper.request('nothing')).rejects.toMatchObject({ code: 'UNKNOWN_TYPE' });
    expect(barkeeper.frames).toEqual([]);
  });

  it('do not send a message to connections of a node whose contracts lack it', async () => {
    const { there, broadcaster } = await openNodes([BarGateway]);
    const barkeeper = await there.connect('/bar');
    const called = { type: 'kitchen:called', payload: { text: 'soup' } } as const;
    expect(await broadcaster.sendToUser('ann', called, { confirmWithinMs: 2_000 })).toMatchObject({
      delivered: 0,
      nodes: 1,
      missingNodes: 0,
    });
    await expect(
      broadcaster.requestFromUser('ann', { type: 'kitchen:ask', payload: { text: 'ready?' } }),
    ).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await broadcaster.broadcast({ type: 'bell', payload: { text: 'ding' } });
    expect((await barkeeper.next()).type).toBe('bell');
  });
});
