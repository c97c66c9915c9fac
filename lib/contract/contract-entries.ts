import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Delivery } from '../protocol/delivery.js';
import type { UnknownProperties } from './class/class-payload.js';
import type { PayloadValidator } from './payload-validator.js';

export type { Delivery } from '../protocol/delivery.js';

/** A class with class-validator decorators, a Standard Schema, or `null` for no payload. */
export type PayloadDefinition = (new () => object) | StandardSchemaV1 | null;

/** A message that a client may send. Without `reply`, its reply has the payload `null`. */
export interface ClientEntry {
  /** The shape of the payload. */
  readonly payload: PayloadDefinition;
  /** The shape of the reply. @default none */
  readonly reply?: PayloadDefinition;
  /** The class-validator groups for the payload; a reply is validated by the rules without groups. @default none */
  readonly groups?: readonly string[];
  /** How many messages of `rateLimit` one such message counts as; 0 does not count. @default 1 */
  readonly cost?: number;
  readonly delivery?: never;
}

/** A message that the server may send. With `reply`, the server may send it as a request and await the reply. */
export interface ServerEntry {
  /** The shape of the payload. */
  readonly payload: PayloadDefinition;
  /** The shape of a client's reply, which makes the message a request. @default none */
  readonly reply?: PayloadDefinition;
  /** The class-validator groups for the payload. @default none */
  readonly groups?: readonly string[];
  /** How the message is delivered; `recoverable` needs a history. @default 'live' */
  readonly delivery?: Exclude<Delivery, 'recoverable'>;
}

export type ClientEntries = Readonly<Record<string, ClientEntry>>;
export type ServerEntries = Readonly<Record<string, ServerEntry>>;

export interface ContractOptions {
  /** Whether undeclared properties of a class payload are stripped or the payload is refused. @default 'strip' */
  readonly unknownProperties?: UnknownProperties;
}

/** A compiled contract entry. */
export interface MessageEntry {
  readonly type: string;
  readonly payload: PayloadValidator;
  /** `undefined` if the entry declares no reply. */
  readonly reply: PayloadValidator | undefined;
  readonly delivery: Delivery;
  /** How many messages of the sender's rate limit it counts as. */
  readonly cost: number;
}

/** The messages of a path, by sender, with their shapes. Created by `defineContract`. */
export interface Contract<Client extends ClientEntries, Server extends ServerEntries> {
  readonly client: Client;
  readonly server: Server;
  readonly clientMessages: ReadonlyMap<string, MessageEntry>;
  readonly serverMessages: ReadonlyMap<string, MessageEntry>;
}

/** Any contract. */
export type AnyContract = Contract<ClientEntries, ServerEntries>;
