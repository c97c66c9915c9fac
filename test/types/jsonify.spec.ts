import { Type } from 'class-transformer';
import { IsDate, IsObject, IsOptional, IsString, ValidateNested } from 'class-validator';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { Broadcaster } from '../../lib/broadcast/broadcaster.js';
import type { RealtimeClient } from '../../lib/client/index.js';
import { defineContract } from '../../lib/contract/contract.js';
import type {
  ClientAnswer,
  ClientPayload,
  ClientReply,
  HandlerPayload,
  HandlerResult,
  Jsonify,
  JsonInput,
  OutgoingMessage,
  OutgoingPayload,
  ServerMessage,
  ServerPayload,
  ServerReply,
} from '../../lib/contract/contract-types.js';

class Seat {
  @IsString() label!: string;
}
class Booking {
  @Type(() => Date) @IsDate() at!: Date;
  @IsOptional() @Type(() => Date) @IsDate() until?: Date;
  @ValidateNested({ each: true }) @Type(() => Seat) seats!: Seat[];
  @IsObject() free!: unknown;
  isOver(): boolean {
    return this.at.valueOf() < Date.now();
  }
}
class Filter {
  @ValidateNested() @Type(() => Seat) byName!: Map<string, Seat>;
  @ValidateNested() @Type(() => Seat) all!: Set<Seat>;
}
interface BookingJson {
  at: string;
  until?: string;
  seats: Seat[];
  free: unknown;
}
const dated = z.object({ at: z.date() });

const contract = defineContract({
  client: {
    book: { payload: Booking, reply: Booking },
    find: { payload: Filter, reply: dated },
  },
  server: {
    booked: { payload: Booking },
    dated: { payload: dated },
    confirm: { payload: null, reply: Booking },
  },
});
type C = typeof contract;

// These statements are only compiled; none of them runs.
const compiled = (_statements: (client: RealtimeClient<C>, server: Broadcaster<C>) => unknown) => undefined;

describe('Jsonify', () => {
  it('is the type of JSON.parse(JSON.stringify(value))', () => {
    expectTypeOf<Jsonify<Date>>().toEqualTypeOf<string>();
    expectTypeOf<Jsonify<URL>>().toEqualTypeOf<string>();
    expectTypeOf<Jsonify<{ toJSON(): { on: Date } }>>().toEqualTypeOf<{ on: string }>();
    expectTypeOf<Jsonify<Booking>>().toEqualTypeOf<BookingJson>();
    expectTypeOf<Jsonify<Booking[]>>().toEqualTypeOf<BookingJson[]>();
    expectTypeOf<Jsonify<readonly [Date, number?]>>().toEqualTypeOf<readonly [string, number?]>();
    expectTypeOf<Jsonify<Record<string, Date | null>>>().toEqualTypeOf<Record<string, string | null>>();
    expectTypeOf<Jsonify<undefined>>().toEqualTypeOf<null>();
    expectTypeOf<Jsonify<{ a: Date } | { b: number }>>().toEqualTypeOf<{ a: string } | { b: number }>();
  });

  it('omits what JSON omits', () => {
    interface Source {
      say(): void;
      readonly mark: symbol;
      readonly [Symbol.toStringTag]: string;
      readonly gone: undefined;
      readonly maybe: Date | undefined;
      readonly text: string | (() => void);
    }
    expectTypeOf<Jsonify<Source>>().toEqualTypeOf<{ readonly maybe?: string; readonly text?: string }>();
  });

  it('keeps types that JSON does not change', () => {
    type Status = 'free' | 'taken';
    interface Tree {
      label: string;
      children?: Tree[];
    }
    expectTypeOf<Jsonify<Seat>>().toEqualTypeOf<Seat>();
    expectTypeOf<Jsonify<Tree>>().toEqualTypeOf<Tree>();
    expectTypeOf<Jsonify<Status | null>>().toEqualTypeOf<Status | null>();
    expectTypeOf<Jsonify<unknown>>().toEqualTypeOf<unknown>();
  });

  it('is never for values whose sending throws', () => {
    expectTypeOf<Jsonify<bigint>>().toEqualTypeOf<never>();
    expectTypeOf<Jsonify<Map<string, number>>>().toEqualTypeOf<never>();
    expectTypeOf<Jsonify<{ tags: Set<string>; n: number }>>().toEqualTypeOf<{ tags: never; n: number }>();
    expectTypeOf<Jsonify<Uint8Array>>().toEqualTypeOf<never>();
  });
});

describe('the types of a payload with dates', () => {
  it('are instances on the server and JSON on the client', () => {
    expectTypeOf<HandlerPayload<C, 'book'>>().toEqualTypeOf<Booking>();
    expectTypeOf<ServerReply<C, 'confirm'>>().toEqualTypeOf<Booking>();
    expectTypeOf<OutgoingPayload<C, 'booked'>>().toEqualTypeOf<Booking>();
    expectTypeOf<ServerPayload<C, 'booked'>>().toEqualTypeOf<BookingJson>();
    expectTypeOf<ServerPayload<C, 'dated'>>().toEqualTypeOf<{ at: string }>();
    expectTypeOf<ClientReply<C, 'book'>>().toEqualTypeOf<BookingJson>();
    expectTypeOf<ClientReply<C, 'find'>>().toEqualTypeOf<{ at: string }>();
    expectTypeOf<Extract<ServerMessage<C>, { type: 'dated' }>['payload']>().toEqualTypeOf<{ at: string }>();
    expectTypeOf<Extract<OutgoingMessage<C>, { type: 'dated' }>['payload']>().toEqualTypeOf<{ at: Date }>();
    expectTypeOf<HandlerResult<C, 'find'>>().extract<{ at: Date }>().toEqualTypeOf<{ at: Date }>();
    compiled(async (client) => {
      client.on('booked', (booking) => expectTypeOf(booking).toEqualTypeOf<BookingJson>());
      expectTypeOf(await client.request('find', { byName: {}, all: [] })).toEqualTypeOf<{ at: string }>();
      expectTypeOf(await client.once('dated')).toEqualTypeOf<{ at: string }>();
    });
  });

  it('let a client send a date as a string or a Date, a set as an array, a map as an object, and no methods', () => {
    expectTypeOf<JsonInput<Seat>>().toEqualTypeOf<Seat>();
    compiled((client, server) => [
      client.send('book', { at: '2026-01-01', seats: [{ label: 'a' }], free: 1 }),
      client.send('book', { at: new Date(), until: undefined, seats: [], free: null }),
      client.send('book', new Booking()),
      client.request('find', { byName: { a: { label: 'a' } }, all: [{ label: 'b' }] }),
      client.onRequest('confirm', () => ({ at: '2026-01-01', seats: [], free: 1 })),
      server.broadcast({ type: 'booked', payload: new Booking() }),
      server.broadcast({ type: 'dated', payload: { at: new Date() } }),
    ]);
  });
});

describe('the compiler refuses', () => {
  it('a Date on the receiving side', () => {
    compiled((client) => [
      // @ts-expect-error the received value is a string
      client.on('booked', ({ at }) => at.getTime()),
      // @ts-expect-error the received value has no methods
      client.on('booked', (booking) => booking.isOver()),
      // @ts-expect-error a reply is JSON too
      client.request('find', { byName: {}, all: [] }).then(({ at }) => at.getTime()),
    ]);
  });

  it('a payload of another shape', () => {
    compiled((client, server) => {
      // @ts-expect-error a date is not a number
      const number: ClientPayload<C, 'book'> = { at: 5, seats: [], free: 1 };
      // @ts-expect-error a nested property is of another type
      const nested: ClientAnswer<C, 'confirm'> = { at: 'x', seats: [{ label: 1 }], free: 1 };
      return [
        number,
        nested,
        // @ts-expect-error a property is missing
        client.send('book', { at: 'x', free: 1 }),
        // @ts-expect-error the server has the date itself
        server.broadcast({ type: 'dated', payload: { at: '2026-01-01' } }),
      ];
    });
  });
});
