import { IsInt } from 'class-validator';
import { defineContract } from 'nestjs-realtime';

export class Work {
  @IsInt() takesMs!: number;
}

export const workshop = defineContract({ client: { work: { payload: Work, reply: Work } } });

/** What became of the clients of the node that went down. */
export interface Outcome {
  readonly goaways: number;
  /** How many were closed with each code. */
  readonly codes: Readonly<Record<string, number>>;
  /** Requests that were being handled when the signal came, and how many of them were answered. */
  readonly inFlight: number;
  readonly answered: number;
  /** How many are in again elsewhere. */
  readonly back: number;
  /** When each client asked to be let in there, in milliseconds since the first `$goaway`. */
  readonly triedAfterMs: readonly number[];
  /** The times that they were advised. */
  readonly advisedMs: readonly number[];
}
