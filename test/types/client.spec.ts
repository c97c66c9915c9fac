import { IsString } from 'class-validator';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  CoreClient,
  RealtimeClient,
  type ConnectionState,
  type ServerMessage,
} from '../../lib/client/index.js';
import { defineContract } from '../../lib/contract/contract.js';

class Order {
  @IsString() dish!: string;
}
class Bill {
  @IsString() total!: string;
}
const at = z.object({ at: z.string().transform((text) => new Date(text)) });

const contract = defineContract({
  client: {
    order: { payload: Order, reply: Bill },
    schedule: { payload: at, reply: at },
    leave: { payload: null },
  },
  server: {
    ordered: { payload: Order },
    closed: { payload: null },
    confirm: { payload: Order, reply: at },
  },
});
type C = typeof contract;

// These statements are only compiled; none of them runs.
const compiled = (_statements: (client: RealtimeClient<C>) => unknown) => undefined;

describe('the types of a client', () => {
  it('follow the contract', () => {
    compiled(async (client) => {
      expectTypeOf(await client.request('order', { dish: 'soup' })).toEqualTypeOf<Bill>();
      expectTypeOf(await client.request('schedule', { at: '2026-01-01' })).toEqualTypeOf<{ at: string }>();
      expectTypeOf(await client.request('leave')).toEqualTypeOf<null>();
      expectTypeOf(await client.once('ordered')).toEqualTypeOf<Order>();
      client.on('ordered', (order) => expectTypeOf(order).toEqualTypeOf<Order>());
      client.on('closed', (nothing) => expectTypeOf(nothing).toEqualTypeOf<null>());
      client.onAny((message) => expectTypeOf(message).toEqualTypeOf<ServerMessage<C>>());
      client.onRequest('confirm', (order) => ({ at: order.dish }));
      client.onRequest('confirm', async () => ({ at: 'now' }));
      for await (const order of client.messages('ordered')) expectTypeOf(order).toEqualTypeOf<Order>();
      for await (const bill of client.stream('order', { dish: 'soup' }))
        expectTypeOf(bill).toEqualTypeOf<Bill>();
      client.onStateChange((state) => {
        expectTypeOf(state).toEqualTypeOf<ConnectionState>();
        if (state.status === 'reconnecting') expectTypeOf(state.retryInMs).toEqualTypeOf<number>();
      });
    });
  });

  it('let a message without payload be sent without one', () => {
    compiled((client) => [
      client.send('leave'),
      client.send('leave', null, { whileAway: 'drop' }),
      client.request('leave', null, { timeoutMs: 1_000, signal: new AbortController().signal }),
    ]);
  });

  it('are the same for the core', () => {
    const withCore = (_statements: (client: CoreClient<C>) => unknown) => undefined;
    withCore((client) => [
      client.request('order', { dish: 'soup' }),
      // @ts-expect-error the payload's property is of another type
      client.request('order', { dish: 1 }),
    ]);
  });
});

describe('the compiler refuses', () => {
  it('a wrong payload', () => {
    compiled((client) => [
      // @ts-expect-error the payload's property is of another type
      client.send('order', { dish: 1 }),
      // @ts-expect-error the payload lacks a property
      client.request('order', {}),
      // @ts-expect-error the payload is missing
      client.request('order'),
      // @ts-expect-error this message has no payload
      client.send('leave', { dish: 'soup' }),
      // @ts-expect-error a message is sent in the schema's input type, not its output type
      client.send('schedule', { at: new Date() }),
      // @ts-expect-error a stream has the payload of its message
      client.stream('order', { dish: 1 }),
    ]);
  });

  it('an unknown type', () => {
    compiled((client) => [
      // @ts-expect-error no such message
      client.send('nothing', {}),
      // @ts-expect-error this is a message of the server
      client.request('ordered', { dish: 'soup' }),
      // @ts-expect-error this is a message of the client
      client.on('order', () => undefined),
      // @ts-expect-error no such message
      client.once('nothing'),
      // @ts-expect-error no such message
      client.messages('nothing'),
      // @ts-expect-error the server does not send this request
      client.onRequest('ordered', () => null),
    ]);
  });

  it('a wrong reply', () => {
    compiled((client) => [
      // @ts-expect-error the reply is a bill
      client.request('order', { dish: 'soup' }).then((bill) => bill.sum),
      // @ts-expect-error the reply's property is of another type
      client.onRequest('confirm', () => ({ at: 1 })),
      // @ts-expect-error the promised reply is of another type
      client.onRequest('confirm', async () => ({ when: 'now' })),
      // @ts-expect-error a reply is required
      client.onRequest('confirm', () => undefined),
    ]);
  });

  it('wrong options', () => {
    compiled((client) => [
      // @ts-expect-error no such policy
      client.send('leave', null, { whileAway: 'forget' }),
      // @ts-expect-error no such retry
      client.request('leave', null, { retry: 'twice' }),
      // @ts-expect-error no such option
      new RealtimeClient<C>('/ws', { reconnect: true }),
    ]);
  });
});
