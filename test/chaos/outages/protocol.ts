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

/** What the process of the clients tells of them. */
export interface Standing {
  readonly clients: number;
  readonly connected: number;
  /** In a final state: only a reload of the page would bring them back. */
  readonly closed: number;
  /** How many have got the mark that was asked about. */
  readonly marked: number;
  readonly asked: number;
  readonly unsettled: number;
  readonly answered: readonly string[];
  /** By the code of the error; `untyped` is what has none. */
  readonly failed: Readonly<Record<string, number>>;
}

/** A client that came new during an outage. */
export interface Newcomer {
  readonly connectedMs: number;
  readonly answeredMs: number;
}

/** How a node is. */
export interface NodeState {
  readonly status: string;
  readonly pendingSubscriptions: number;
  readonly connections: number;
  /** Connections that ended because their token had expired. */
  readonly expired: number;
  readonly uncaught: readonly string[];
}
