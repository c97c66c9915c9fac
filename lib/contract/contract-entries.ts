import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Delivery } from '../protocol/delivery.js';
import type { UnknownProperties } from './class/class-payload.js';
import type { PayloadValidator } from './payload-validator.js';

export type { Delivery } from '../protocol/delivery.js';

/** A class with class-validator decorators, a Standard Schema, or `null` for nothing. */
export type PayloadDefinition = (new () => object) | StandardSchemaV1 | null;

/** A message a client may send. Without `reply`, an acknowledgement carries nothing. */
export interface ClientEntry {
  readonly payload: PayloadDefinition;
  readonly reply?: PayloadDefinition;
  /** The class-validator groups that apply to the payload; a reply is judged by all its rules. */
  readonly groups?: readonly string[];
  /** What one such message takes of the connection's `rateLimit`; 0 is free. 1 unless told otherwise. */
  readonly cost?: number;
  readonly delivery?: never;
}

/** A message the server may send. With `reply`, the server may ask it of a client and await the answer. */
export interface ServerEntry {
  readonly payload: PayloadDefinition;
  readonly reply?: PayloadDefinition;
  readonly groups?: readonly string[];
  /** How the message is delivered; `recoverable` needs a history. @default 'live' */
  readonly delivery?: Exclude<Delivery, 'recoverable'>;
}

export type ClientEntries = Readonly<Record<string, ClientEntry>>;
export type ServerEntries = Readonly<Record<string, ServerEntry>>;

export interface ContractOptions {
  /** What happens to properties a class payload does not declare; `strip` unless told otherwise. */
  readonly unknownProperties?: UnknownProperties;
}

/** A contract entry made ready for use. */
export interface MessageEntry {
  readonly type: string;
  readonly payload: PayloadValidator;
  /** Undefined when the entry declares no reply. */
  readonly reply: PayloadValidator | undefined;
  readonly delivery: Delivery;
  /** What it takes of the sender's rate limit. */
  readonly cost: number;
}

/** Everything that may be said on a path, by whom, and in what shape. Made by `defineContract`. */
export interface Contract<Client extends ClientEntries, Server extends ServerEntries> {
  readonly client: Client;
  readonly server: Server;
  readonly clientMessages: ReadonlyMap<string, MessageEntry>;
  readonly serverMessages: ReadonlyMap<string, MessageEntry>;
}

/** Any contract, where its messages do not matter. */
export type AnyContract = Contract<ClientEntries, ServerEntries>;
