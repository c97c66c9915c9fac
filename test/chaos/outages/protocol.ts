import { IsString } from 'class-validator';
import { defineContract } from 'nestjs-realtime';

export class Key {
  @IsString() key!: string;
}

export const ledger = defineContract({
  client: { count: { payload: Key, reply: Key } },
  server: { mark: { payload: Key } },
});

/** The room that every client is in. */
export const EVERYONE = 'everyone';

/** What the process of the clients reports. */
export interface Standing {
  readonly clients: number;
  readonly connected: number;
  /** In a final state, which only a page reload would end. */
  readonly closed: number;
  /** How many have received the requested mark. */
  readonly marked: number;
  readonly requested: number;
  readonly unsettled: number;
  readonly answered: readonly string[];
  /** By the code of the error; `untyped` for errors without one. */
  readonly failed: Readonly<Record<string, number>>;
}

/** A client that first connected during an outage. */
export interface Newcomer {
  readonly connectedMs: number;
  readonly answeredMs: number;
}

/** The state of a node. */
export interface NodeState {
  readonly status: string;
  readonly pendingSubscriptions: number;
  readonly connections: number;
  /** Connections that ended because their token had expired. */
  readonly expired: number;
  readonly uncaught: readonly string[];
}
