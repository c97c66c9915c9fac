import { IsString } from 'class-validator';
import { defineContract } from 'nestjs-realtime';

export class Words {
  @IsString() text!: string;
}

export const fortress = defineContract({ client: { echo: { payload: Words, reply: Words } } });

/** The token of the one client that means well. */
export const FRIEND = 'friend';
/** A token that attackers have got hold of: some attacks need a way in. */
export const INTRUDER = 'intruder';

/** What the server tells of itself, after garbage collection. */
export interface Report {
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Buffers and what else is kept outside the heap. */
  readonly externalBytes: number;
  readonly connections: number;
  /** Sockets of any kind. */
  readonly sockets: number;
  readonly refusedUpgrades: Readonly<Record<string, number>>;
  readonly refusedMessages: Readonly<Record<string, number>>;
  readonly closed: Readonly<Record<string, number>>;
  /** Publications of other nodes, by what came of them. */
  readonly heard: Readonly<Record<string, number>>;
  readonly messagesReceived: number;
  /** How late its own timers were since it was told to watch: 99th percentile and the most. */
  readonly loopDelayMs: readonly [p99: number, max: number];
  readonly slowConsumers: number;
  /** What nobody caught. */
  readonly uncaught: readonly string[];
  /** Lines of the log by level. */
  readonly logLines: Readonly<Record<string, number>>;
  readonly errors: readonly string[];
}
