import { IsString } from 'class-validator';
import { defineContract } from 'nestjs-realtime';

export class Words {
  @IsString() text!: string;
}

export const fortress = defineContract({ client: { echo: { payload: Words, reply: Words } } });

/** The token of the one well-behaved client. */
export const HEALTHY_TOKEN = 'healthy';
/** A stolen token, for the attacks that need an authenticated connection. */
export const INTRUDER = 'intruder';

/** What the server reports about itself, after garbage collection. */
export interface Report {
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Buffers and other memory outside the heap. */
  readonly externalBytes: number;
  readonly connections: number;
  /** Sockets of any kind. */
  readonly sockets: number;
  readonly refusedUpgrades: Readonly<Record<string, number>>;
  readonly refusedMessages: Readonly<Record<string, number>>;
  readonly closed: Readonly<Record<string, number>>;
  /** Publications of other nodes, by outcome. */
  readonly publications: Readonly<Record<string, number>>;
  readonly messagesReceived: number;
  /** How late its own timers were since monitoring began: 99th percentile and maximum. */
  readonly loopDelayMs: readonly [p99: number, max: number];
  readonly slowConsumers: number;
  /** Uncaught exceptions and unhandled rejections. */
  readonly uncaught: readonly string[];
  /** Lines of the log by level. */
  readonly logLines: Readonly<Record<string, number>>;
  readonly errors: readonly string[];
}
