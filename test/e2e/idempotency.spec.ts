import { IsString } from 'class-validator';
import {
  OnMessage,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
  type RealtimeOptions,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { expect, it, onTestFinished } from 'vitest';
import { Gate } from '../rig/clock/gate.js';

class Order {
  @IsString() dish!: string;
}

const kitchenContract = defineContract({
  client: {
    order: { payload: Order, reply: Order },
    slow: { payload: Order, reply: Order },
    courses: { payload: Order, reply: Order },
  },
});

/** What was cooked, and the gate that slow handlers wait for. */
class Kitchen {
  readonly cooked: string[] = [];
  readonly fire = new Gate();
}

@RealtimeGateway({ path: '/kitchen', contract: kitchenContract })
class KitchenGateway {
  constructor(private readonly kitchen: Kitchen) {}

  @OnMessage(kitchenContract, 'order')
  order({ dish }: Order): Order {
    this.kitchen.cooked.push(dish);
    return { dish };
  }

  @OnMessage(kitchenContract, 'slow')
  async slow({ dish }: Order): Promise<Order> {
    this.kitchen.cooked.push(dish);
    await this.kitchen.fire.opened;
    return { dish };
  }

  @OnMessage(kitchenContract, 'courses')
  async courses({ dish }: Order): Promise<Order> {
    await this.kitchen.fire.opened;
    // The same happens with an async guard before a streaming handler.
    return (async function* () {
      yield { dish };
    })() as never;
  }
}

async function openKitchen(options: RealtimeOptions = {}) {
  const app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot({ rateLimit: false, ...options })],
    providers: [KitchenGateway, Kitchen],
  });
  onTestFinished(() => app.close());
  return { app, kitchen: app.get(Kitchen) };
}

/** Sends a message with a key. */
const send = (client: TestClient, type: string, key: string, id: string) =>
  client.sendText(JSON.stringify({ type, payload: { dish: key }, id, key }));

/** Other clients that receive replies all the time. */
async function crowd(open: () => TestClient, clients: number, messages: number): Promise<void> {
  const talk = async () => {
    const client = open();
    await client.hello();
    for (let i = 1; i <= messages; i++) send(client, 'order', `crowd ${i}`, `${i}`);
    await client.reply(`${messages}`);
    await client.close();
  };
  await Promise.all(Array.from({ length: clients }, talk));
}

const connectionIds = (id: string) => [id];

it('a keyed message runs once while thousands of others get replies, and its repeat gets its reply', async () => {
  const { app, kitchen } = await openKitchen({ idempotency: { maxAnswers: 100 } });
  const open = () => app.open('/kitchen');
  const client = open();
  const { sessionId } = await client.hello();
  send(client, 'slow', 'soup', 'a');
  while (kitchen.cooked.length === 0) await new Promise(setImmediate);
  client.socket.terminate();
  await crowd(open, 10, 200);
  const again = await app.connect('/kitchen');
  expect(await again.request('$resume', { sessionId })).toMatchObject({ answersRemembered: true });
  send(again, 'slow', 'soup', 'b');
  await again.request('order', { dish: 'salad' });
  kitchen.fire.open();
  expect(await again.reply('b')).toEqual({ dish: 'soup' });
  expect(kitchen.cooked.filter((dish) => dish === 'soup')).toHaveLength(1);
});

it('answersRemembered is sent only if a repeat does not run again, with any number of other replies', async () => {
  const { app, kitchen } = await openKitchen({ idempotency: { maxAnswers: 400 } });
  const open = () => app.open('/kitchen');
  const remembered: boolean[] = [];
  for (const messages of [1, 20, 100, 1]) {
    const dish = `dish ${remembered.length}`;
    const client = open();
    const { sessionId } = await client.hello();
    send(client, 'order', dish, 'a');
    await client.reply('a');
    await client.close();
    await crowd(open, 5, messages);
    const again = await app.connect('/kitchen');
    const { answersRemembered } = (await again.request('$resume', { sessionId })) as {
      answersRemembered: boolean;
    };
    send(again, 'order', dish, 'b');
    await again.reply('b');
    await again.close();
    remembered.push(answersRemembered);
    const runs = kitchen.cooked.filter((each) => each === dish).length;
    expect([dish, runs]).toEqual([dish, answersRemembered ? 1 : 2]);
  }
  expect(remembered).toEqual([true, true, false, true]);
});

it('a repeat of a message whose handler returns a stream is refused with CONFLICT', async () => {
  const { app, kitchen } = await openKitchen({ concurrency: 2 });
  const client = await app.connect('/kitchen');
  send(client, 'courses', 'menu', 'a');
  send(client, 'courses', 'menu', 'b');
  await client.request('order', { dish: 'bread' });
  kitchen.fire.open();
  await expect(client.reply('b')).rejects.toThrow('CONFLICT');
  expect([(await client.next()).type, (await client.next()).type]).toEqual(['$next', '$complete']);
});

it('a client that was on another node in between gets answersRemembered: false', async () => {
  const { app } = await openKitchen();
  const client = app.open('/kitchen');
  const { sessionId, connectionId } = await client.hello();
  await client.close();
  const again = await app.connect('/kitchen');
  const resume = (connectionId: string) =>
    again.request('$resume', { sessionId, connectionIds: connectionIds(connectionId) });
  const elsewhere = 'another-node.00000000-0000-4000-8000-000000000000';
  expect(await resume(elsewhere)).toMatchObject({ sessionId, answersRemembered: false });
  expect(await resume(connectionId)).toMatchObject({ sessionId, answersRemembered: true });
  for (const connectionIds of ['x', [7], Array.from({ length: 9 }, () => 'x'), [''], ['x'.repeat(129)]]) {
    await expect(again.request('$resume', { sessionId, connectionIds })).rejects.toThrow('VALIDATION_FAILED');
  }
});

it('a session recently used by another user is not resumed, and its replies are not sent', async () => {
  const { app, kitchen } = await openKitchen({
    authenticate: ({ token }) => (token === undefined ? null : { userId: token }),
  });
  const ann = app.open('/kitchen', { token: 'ann' });
  const { sessionId } = await ann.hello();
  send(ann, 'order', 'soup', 'a');
  await ann.reply('a');
  await ann.close();
  const bob = app.open('/kitchen', { token: 'bob' });
  const own = (await bob.hello()).sessionId;
  expect(await bob.request('$resume', { sessionId })).toMatchObject({
    sessionId: own,
    answersRemembered: false,
  });
  send(bob, 'order', 'soup', 'b');
  await bob.reply('b');
  expect(kitchen.cooked).toEqual(['soup', 'soup']);
});
