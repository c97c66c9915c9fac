import { IsString } from 'class-validator';
import { of } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../lib/contract/contract.js';
import type { AnyContract } from '../../lib/contract/contract.js';
import type {
  ClientAnswer,
  ClientMessage,
  ClientPayload,
  ClientReply,
  ClientType,
  HandlerPayload,
  HandlerResult,
  RequestableType,
  ServerMessage,
  ServerPayload,
  ServerReply,
  ServerType,
} from '../../lib/contract/contract-types.js';

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
    touch: { payload: Order, reply: null, groups: [] },
  },
  server: {
    ordered: { payload: Order },
    moved: { payload: at, delivery: 'volatile' },
    closed: { payload: null },
    confirm: { payload: Order, reply: at },
  },
});
type C = typeof contract;

// These statements are only compiled; none of them runs.
const compiled = (_statements: () => unknown) => undefined;

describe('the types of a contract', () => {
  it('name every message', () => {
    expectTypeOf<ClientType<C>>().toEqualTypeOf<'order' | 'schedule' | 'leave' | 'touch'>();
    expectTypeOf<ServerType<C>>().toEqualTypeOf<'ordered' | 'moved' | 'closed' | 'confirm'>();
    expectTypeOf<RequestableType<C>>().toEqualTypeOf<'confirm'>();
    expectTypeOf(contract).toExtend<AnyContract>();
    expectTypeOf(contract.server.moved.delivery).toEqualTypeOf<'volatile'>();
  });

  it('distinguish what is sent from what was validated', () => {
    expectTypeOf<ClientPayload<C, 'order'>>().toEqualTypeOf<Order>();
    expectTypeOf<ClientPayload<C, 'schedule'>>().toEqualTypeOf<{ at: string }>();
    expectTypeOf<HandlerPayload<C, 'schedule'>>().toEqualTypeOf<{ at: Date }>();
    expectTypeOf<HandlerPayload<C, 'order'>>().toEqualTypeOf<Order>();
    expectTypeOf<HandlerPayload<C, 'leave'>>().toEqualTypeOf<null>();
    expectTypeOf<ServerPayload<C, 'moved'>>().toEqualTypeOf<{ at: string }>();
    expectTypeOf<ServerPayload<C, 'closed'>>().toEqualTypeOf<null>();
  });

  it('name the reply', () => {
    expectTypeOf<ClientReply<C, 'order'>>().toEqualTypeOf<Bill>();
    expectTypeOf<ClientReply<C, 'schedule'>>().toEqualTypeOf<{ at: string }>();
    expectTypeOf<ClientReply<C, 'leave'>>().toEqualTypeOf<null>();
    expectTypeOf<ServerReply<C, 'confirm'>>().toEqualTypeOf<{ at: Date }>();
    expectTypeOf<ClientAnswer<C, 'confirm'>>().toEqualTypeOf<{ at: string }>();
    expectTypeOf<HandlerResult<C, 'order'>>().toEqualTypeOf<
      Bill | Promise<Bill> | Observable<Bill> | AsyncIterable<Bill>
    >();
    expectTypeOf<HandlerResult<C, 'leave'>>().toEqualTypeOf<void | Promise<void>>();
    expectTypeOf<HandlerResult<C, 'touch'>>().toEqualTypeOf<null | void | Promise<null | void>>();
  });

  it('make messages a union discriminated by type', () => {
    expectTypeOf<ServerMessage<C>>().toEqualTypeOf<
      | { type: 'ordered'; payload: Order }
      | { type: 'moved'; payload: { at: string } }
      | { type: 'closed'; payload?: null }
      | { type: 'confirm'; payload: Order }
    >();
    const describeMessage = (message: ServerMessage<C>): string => {
      switch (message.type) {
        case 'ordered':
        case 'confirm':
          return message.payload.dish;
        case 'moved':
          return message.payload.at;
        case 'closed':
          return 'closed';
        default:
          return message satisfies never;
      }
    };
    expectTypeOf(describeMessage).returns.toEqualTypeOf<string>();
  });

  it('have no messages for a missing section', () => {
    const listening = defineContract({ server: { said: { payload: Order } } });
    expectTypeOf(listening).toExtend<AnyContract>();
    expectTypeOf<ClientType<typeof listening>>().toEqualTypeOf<never>();
    expectTypeOf<ClientMessage<typeof listening>>().toEqualTypeOf<never>();
    expectTypeOf<ServerType<typeof listening>>().toEqualTypeOf<'said'>();
    expectTypeOf<RequestableType<typeof listening>>().toEqualTypeOf<never>();
  });

  it('follow a changed payload', () => {
    class ChangedOrder {
      @IsString() meal!: string;
    }
    const changed = defineContract({ server: { ordered: { payload: ChangedOrder } } });
    compiled(() => {
      const good: ServerMessage<typeof changed> = { type: 'ordered', payload: { meal: 'soup' } };
      // @ts-expect-error the property has another name now
      const stale: ServerMessage<typeof changed> = { type: 'ordered', payload: { dish: 'soup' } };
      return [good, stale];
    });
  });
});

describe('the compiler refuses', () => {
  it('a wrong message', () => {
    compiled(() => {
      const good: ClientMessage<C>[] = [{ type: 'leave' }, { type: 'leave', payload: null }];
      // @ts-expect-error the payload's property is of another type
      const wrongType: ClientMessage<C> = { type: 'order', payload: { dish: 1 } };
      // @ts-expect-error the payload lacks a property
      const missing: ClientMessage<C> = { type: 'order', payload: {} };
      // @ts-expect-error the payload is missing
      const without: ClientMessage<C> = { type: 'order' };
      // @ts-expect-error this is a message of the server
      const unknown: ClientMessage<C> = { type: 'ordered', payload: { dish: 'soup' } };
      // @ts-expect-error this message has no payload
      const surplus: ClientMessage<C> = { type: 'leave', payload: { dish: 'soup' } };
      // @ts-expect-error no such type
      type Unknown = ClientPayload<C, 'nothing'>;
      const nothing = undefined as unknown as Unknown;
      return [good, wrongType, missing, without, unknown, surplus, nothing];
    });
  });

  it('a wrong reply', () => {
    compiled(() => {
      const good: HandlerResult<C, 'order'>[] = [
        { total: '1' },
        Promise.resolve({ total: '1' }),
        of({ total: '1' }),
      ];
      // @ts-expect-error the reply's property is of another type
      const wrong: HandlerResult<C, 'order'> = { total: 1 };
      // @ts-expect-error a promise of the wrong reply
      const late: HandlerResult<C, 'order'> = Promise.resolve({ sum: '1' });
      // @ts-expect-error a stream of the wrong reply
      const stream: HandlerResult<C, 'order'> = of({ sum: '1' });
      // @ts-expect-error a reply is declared, so it is required
      const none: HandlerResult<C, 'order'> = undefined;
      // @ts-expect-error no reply is declared
      const surplus: HandlerResult<C, 'leave'> = { total: '1' };
      return [good, wrong, late, stream, none, surplus];
    });
  });

  it('a switch that omits a message', () => {
    compiled(() => (message: ServerMessage<C>): string => {
      switch (message.type) {
        case 'ordered':
        case 'confirm':
        case 'moved':
          return message.type;
        default:
          // @ts-expect-error 'closed' is missing
          return message satisfies never;
      }
    });
  });

  it('a wrong definition', () => {
    compiled(() => [
      // @ts-expect-error history does not exist yet
      defineContract({ server: { a: { payload: Order, delivery: 'recoverable' } } }),
      // @ts-expect-error a client does not choose the delivery
      defineContract({ client: { a: { payload: Order, delivery: 'live' } } }),
      // @ts-expect-error a payload must be declared, if only as null
      defineContract({ client: { a: {} } }),
      // @ts-expect-error an instance is not a class
      defineContract({ client: { a: { payload: new Order() } } }),
      // @ts-expect-error class-transformer constructs without arguments
      defineContract({ client: { a: { payload: class { constructor(readonly name: string) {} } } } }), // prettier-ignore
      // @ts-expect-error groups are a list
      defineContract({ client: { a: { payload: Order, groups: 'create' } } }),
      // @ts-expect-error no such mode
      defineContract({}, { unknownProperties: 'keep' }),
      // @ts-expect-error a contract cannot be changed
      (contract.client = {} as never),
    ]);
  });
});
