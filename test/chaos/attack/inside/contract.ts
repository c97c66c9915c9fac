import { IsBoolean, IsOptional, IsString } from 'class-validator';
import { defineContract } from 'nestjs-realtime';
import { Words } from '../protocol.js';

/** Names the behaviour of a handler. */
export class Behaviour {
  @IsString() name!: string;
}
export class Anything {
  @IsOptional() @IsBoolean() any?: boolean;
}

export const inner = defineContract({
  client: {
    echo: { payload: Words, reply: Words },
    misbehave: { payload: Behaviour, reply: Anything },
  },
  server: { tick: { payload: Words }, ask: { payload: Words, reply: Words } },
});

/** The room of the well-behaved client. */
export const HEALTHY_ROOM = 'garden';
/** The room of the attackers and of the clients they attack. */
export const ATTACKED_ROOM = 'pit';
