import { IsString } from 'class-validator';
import {
  Broadcaster,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
  type Connection,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';

class Text {
  @IsString() text!: string;
}
const kitchen = defineContract({ server: { 'kitchen:called': { payload: Text }, bell: { payload: Text } } });
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

it('a message that both contracts know reaches all', async () => {
  const clients = [await app.connect('/kitchen'), await app.connect('/bar')];
  const broadcaster = app.get<Broadcaster<typeof bar>>(Broadcaster);
  expect(await broadcaster.sendToRoom('staff', { type: 'bell', payload: { text: 'ding' } })).toMatchObject({
    delivered: 2,
  });
  for (const client of clients) expect((await client.next()).type).toBe('bell');
});
