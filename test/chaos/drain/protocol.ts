import { IsInt } from 'class-validator';
import { defineContract } from 'nestjs-realtime';

export class Work {
  @IsInt() takesMs!: number;
}

export const workshop = defineContract({ client: { work: { payload: Work, reply: Work } } });

/** What happened to the clients of the node that shut down. */
export interface Outcome {
  readonly goaways: number;
  /** How many were closed with each code. */
  readonly codes: Readonly<Record<string, number>>;
  /** Requests in flight when the signal came, and how many of them got a reply. */
  readonly inFlight: number;
  readonly answered: number;
  /** How many are connected to the other node. */
  readonly back: number;
  /** When each client connected there, in milliseconds since the first `$goaway`. */
  readonly triedAfterMs: readonly number[];
  /** The times that the server advised. */
  readonly advisedMs: readonly number[];
}
