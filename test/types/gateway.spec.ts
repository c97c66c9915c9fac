import { IsInt, IsString } from 'class-validator';
import type { Observable } from 'rxjs';
import {
  OnMessage,
  RealtimeException,
  RealtimeGateway,
  defineContract,
  type Broadcaster,
  type ClientMessage,
  type Connection,
  type Identity,
  type OnMessageOptions,
  type Receipt,
  type OutgoingMessage,
  type ServerMessage,
} from 'nestjs-realtime';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

// These hold when `tsc --noEmit` passes: each @ts-expect-error is itself an error once the line below it compiles.

class Reserve {
  @IsString() tableId!: string;
  @IsInt() partySize!: number;
}
class Reservation {
  @IsString() id!: string;
}
class Other {
  @IsInt() other!: number;
}
const venue = defineContract({
  client: {
    reserve: { payload: Reserve, reply: Reservation },
    release: { payload: Reserve },
    hello: { payload: null, reply: Reservation },
    schema: { payload: z.object({ at: z.coerce.date() }), reply: z.object({ ok: z.boolean() }) },
  },
  server: {
    changed: { payload: Reservation },
    closed: { payload: null },
    ask: { payload: Other, reply: Reserve },
  },
});

interface Member {
  readonly role: 'host' | 'guest';
}

describe('@OnMessage', () => {
  it('accepts handlers that fit their contract', () => {
    abstract class Fits {
      @OnMessage(venue, 'reserve')
      value(payload: Reserve, connection: Connection): Reservation {
        return { id: payload.tableId + connection.id };
      }
      @OnMessage(venue, 'reserve')
      async promise(payload: Reserve): Promise<Reservation> {
        return { id: payload.tableId };
      }
      @OnMessage(venue, 'reserve')
      async *generator({ tableId }: Reserve): AsyncGenerator<Reservation> {
        yield { id: tableId };
      }
      @OnMessage(venue, 'reserve')
      observable(_payload: Reserve): Observable<Reservation> {
        throw new Error('never called');
      }
      @OnMessage(venue, 'reserve')
      less(): Reservation {
        return { id: '' };
      }
      @OnMessage(venue, 'release')
      nothing(_payload: Reserve): void {}
      @OnMessage(venue, 'hello')
      noPayload(_nothing: null, _connection: Connection<Member>): Reservation {
        return { id: '' };
      }
      @OnMessage(venue, 'schema')
      output({ at }: { at: Date }): { ok: boolean } {
        return { ok: at.getTime() > 0 };
      }
    }
    expectTypeOf(Fits).toBeObject();
  });

  it('refuses a wrong payload, a wrong reply, and parameters in the wrong order', () => {
    abstract class DoesNotFit {
      // @ts-expect-error The payload is a Reserve.
      @OnMessage(venue, 'reserve')
      payload(_payload: Other): Reservation {
        return { id: '' };
      }
      // @ts-expect-error The payload has no such property.
      @OnMessage(venue, 'reserve')
      more(_payload: Reserve & Other): Reservation {
        return { id: '' };
      }
      // @ts-expect-error The reply is a Reservation.
      @OnMessage(venue, 'reserve')
      reply(_payload: Reserve): Other {
        return { other: 1 };
      }
      // @ts-expect-error The reply is a Reservation, in a promise too.
      @OnMessage(venue, 'reserve')
      async later(_payload: Reserve): Promise<Other> {
        return { other: 1 };
      }
      // @ts-expect-error The reply is a Reservation, in parts too.
      @OnMessage(venue, 'reserve')
      async *parts(_payload: Reserve): AsyncGenerator<Other> {
        yield { other: 1 };
      }
      // @ts-expect-error A reply is declared, so it is required.
      @OnMessage(venue, 'reserve')
      missing(_payload: Reserve): void {}
      // @ts-expect-error No reply is declared.
      @OnMessage(venue, 'release')
      unread(_payload: Reserve): Reservation {
        return { id: '' };
      }
      // @ts-expect-error A message without payload passes null.
      @OnMessage(venue, 'hello')
      something(_payload: Reserve): Reservation {
        return { id: '' };
      }
      // @ts-expect-error The payload comes after parsing, as a Date.
      @OnMessage(venue, 'schema')
      input({ at }: { at: string }): { ok: boolean } {
        return { ok: at !== '' };
      }
    }
    expectTypeOf(DoesNotFit).toBeObject();
  });

  it('refuses an unknown type and a message of the server', () => {
    const unknown = () => {
      // @ts-expect-error The contract has no such client message.
      OnMessage(venue, 'reserved');
      // @ts-expect-error This is a message of the server.
      OnMessage(venue, 'changed');
    };
    expectTypeOf(unknown).toBeFunction();
  });

  it('passes the connection to `allow`', () => {
    expectTypeOf<NonNullable<OnMessageOptions['allow']>>().toBeCallableWith({} as Connection);
  });
});

describe('RealtimeException', () => {
  it('accepts details that JSON can carry, interfaces and dates too', () => {
    interface Taken {
      readonly until: Date;
      readonly by?: readonly Member[];
    }
    const taken: Taken = { until: new Date(), by: [{ role: 'host' }] };
    const exception = new RealtimeException('TABLE_TAKEN', 'taken', { details: taken });
    expectTypeOf(exception.details).toEqualTypeOf<Taken | undefined>();
    expectTypeOf(new RealtimeException('NO').details).toBeUnknown();
    class TableTaken extends RealtimeException<{ until: string }> {}
    expectTypeOf<TableTaken['details']>().toEqualTypeOf<{ until: string } | undefined>();
  });

  it('refuses details that JSON cannot carry', () => {
    const wrong = () => {
      // @ts-expect-error A BigInt cannot be JSON.
      void new RealtimeException('NO', 'no', { details: { seats: 1n } });
      // @ts-expect-error A Map is `{}` in JSON.
      void new RealtimeException('NO', 'no', { details: { seats: new Map<string, number>() } });
      // @ts-expect-error A function is left out.
      void new RealtimeException('NO', 'no', { details: { seats: () => 1 } });
    };
    expectTypeOf(wrong).toBeFunction();
  });
});

describe('@RealtimeGateway', () => {
  it('needs a path and a contract', () => {
    const wrong = () => {
      // @ts-expect-error No contract.
      RealtimeGateway({ path: '/ws' });
      // @ts-expect-error No path.
      RealtimeGateway({ contract: venue });
      // @ts-expect-error The definition is not a contract.
      RealtimeGateway({ path: '/ws', contract: { client: {} } });
    };
    expectTypeOf(wrong).toBeFunction();
  });
});

describe('Connection', () => {
  it('is typed by its generics', () => {
    expectTypeOf<Connection<Member>['user']>().toEqualTypeOf<Member | undefined>();
    expectTypeOf<Connection<Member, { permit?: number }>['data']>().toEqualTypeOf<{ permit?: number }>();
    expectTypeOf<Connection['userId']>().toEqualTypeOf<string | undefined>();
    expectTypeOf<Connection['rooms']>().toEqualTypeOf<ReadonlySet<string>>();
    expectTypeOf<Identity<Member>['user']>().toEqualTypeOf<Member | undefined>();
  });

  it('has a read-only identity', () => {
    const write = (connection: Connection) => {
      // @ts-expect-error Only `authenticate` sets the identity.
      connection.userId = 'ann';
      // @ts-expect-error Rooms are joined and left.
      connection.rooms.add('floor');
    };
    expectTypeOf(write).toBeFunction();
  });
});

describe('Broadcaster<typeof contract>', () => {
  type Venue = Broadcaster<typeof venue>;

  it('accepts the messages of its contract', () => {
    expectTypeOf<Parameters<Venue['broadcast']>[0]>().toEqualTypeOf<OutgoingMessage<typeof venue>>();
    expectTypeOf<ReturnType<Venue['sendToUser']>>().toEqualTypeOf<Promise<Receipt>>();
    const fits = async (venueOf: Venue) => {
      await venueOf.sendToUser('ann', { type: 'changed', payload: { id: '1' } });
      await venueOf.sendToRooms(
        ['floor'],
        { type: 'closed' },
        { except: ['a'], volatile: true, local: true },
      );
      await venueOf.broadcast({ type: 'closed', payload: null });
      const answer = await venueOf.requestFromUser('ann', { type: 'ask', payload: { other: 1 } });
      expectTypeOf(answer).toEqualTypeOf<Reserve>();
    };
    expectTypeOf(fits).toBeFunction();
  });

  it('refuses every other message', () => {
    const wrong = async (venueOf: Venue) => {
      // @ts-expect-error No such message.
      await venueOf.broadcast({ type: 'opened', payload: null });
      // @ts-expect-error A message of the client.
      await venueOf.broadcast({ type: 'release', payload: { tableId: '1', partySize: 2 } });
      // @ts-expect-error A wrong payload.
      await venueOf.sendToUser('ann', { type: 'changed', payload: { id: 1 } });
      // @ts-expect-error No payload where there is one.
      await venueOf.sendToRoom('floor', { type: 'changed' });
      // @ts-expect-error A payload where there is none.
      await venueOf.sendToRoom('floor', { type: 'closed', payload: { id: '1' } });
      // @ts-expect-error This one declares no reply.
      await venueOf.requestFromConnection('c', { type: 'changed', payload: { id: '1' } });
      // @ts-expect-error A request with a wrong payload.
      await venueOf.requestFromConnection('c', { type: 'ask', payload: { other: 'x' } });
      // @ts-expect-error A user id is text.
      await venueOf.sendToUser(7, { type: 'closed' });
    };
    expectTypeOf(wrong).toBeFunction();
  });

  it('types its messages as unions that a switch can exhaust', () => {
    const read = (message: ServerMessage<typeof venue>): string => {
      switch (message.type) {
        case 'changed':
          return message.payload.id;
        case 'closed':
          return '';
        case 'ask':
          return String(message.payload.other);
      }
    };
    expectTypeOf(read).returns.toBeString();
    expectTypeOf<ClientMessage<typeof venue>['type']>().toEqualTypeOf<
      'reserve' | 'release' | 'hello' | 'schema'
    >();
  });
});
