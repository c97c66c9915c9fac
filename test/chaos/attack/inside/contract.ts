import { IsBoolean, IsOptional, IsString } from 'class-validator';
import { defineContract } from 'nestjs-realtime';
import { Words } from '../protocol.js';

/** What a handler is to do. */
export class Deed {
  @IsString() name!: string;
}
export class Anything {
  @IsOptional() @IsBoolean() any?: boolean;
}

export const inner = defineContract({
  client: {
    echo: { payload: Words, reply: Words },
    misbehave: { payload: Deed, reply: Anything },
  },
  server: { tick: { payload: Words }, ask: { payload: Words, reply: Words } },
});

/** The room of the client that means well. */
export const GARDEN = 'garden';
/** The room of those that attack, or are attacked. */
export const PIT = 'pit';
