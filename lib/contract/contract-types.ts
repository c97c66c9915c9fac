import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Observable } from 'rxjs';
import type { AnyContract, PayloadDefinition } from './contract-entries.js';
import type { Jsonify, JsonInput } from './jsonify.js';

export type { AnyContract };
export type { Jsonify, JsonInput } from './jsonify.js';

/** The message types that a client may send. */
export type ClientType<C extends AnyContract> = keyof C['client'] & string;
/** The message types that the server may send. */
export type ServerType<C extends AnyContract> = keyof C['server'] & string;
/** The server's message types that declare a reply, so that they can be sent as requests. */
export type RequestableType<C extends AnyContract> = {
  [T in ServerType<C>]: C['server'][T] extends { readonly reply: PayloadDefinition } ? T : never;
}[ServerType<C>];

/** The payload that a client sends: a schema's input, or the JSON form of a class. */
export type ClientPayload<C extends AnyContract, T extends ClientType<C>> = ClientSent<
  C['client'][T]['payload']
>;
/** The payload that a handler gets: the validated instance, or a schema's output. */
export type HandlerPayload<C extends AnyContract, T extends ClientType<C>> = Validated<
  C['client'][T]['payload']
>;
/** The reply that a client gets, in its JSON form; `null` if the entry declares no reply. */
export type ClientReply<C extends AnyContract, T extends ClientType<C>> = Jsonify<
  Sent<ReplyOf<C['client'][T]>>
>;
/** What a handler may return. An Observable or AsyncIterable is sent as a stream of replies. */
export type HandlerResult<C extends AnyContract, T extends ClientType<C>> = C['client'][T] extends {
  readonly reply: infer R extends PayloadDefinition;
}
  ? R extends null
    ? null | void | Promise<null | void>
    : Sent<R> | Promise<Sent<R>> | Observable<Sent<R>> | AsyncIterable<Sent<R>>
  : void | Promise<void>;

/** The payload that the server sends. */
export type OutgoingPayload<C extends AnyContract, T extends ServerType<C>> = Sent<C['server'][T]['payload']>;
/** The payload that a client gets: the server's, in its JSON form. */
export type ServerPayload<C extends AnyContract, T extends ServerType<C>> = Jsonify<OutgoingPayload<C, T>>;
/** The validated reply that the server gets from a client. */
export type ServerReply<C extends AnyContract, T extends ServerType<C>> = Validated<ReplyOf<C['server'][T]>>;
/** The reply that a client sends to a request of the server. */
export type ClientAnswer<C extends AnyContract, T extends ServerType<C>> = ClientSent<
  ReplyOf<C['server'][T]>
>;

/** Every message that a client may send, discriminated by `type`. */
export type ClientMessage<C extends AnyContract> = {
  [T in ClientType<C>]: MessageOf<T, ClientPayload<C, T>>;
}[ClientType<C>];
/** Every message that the server may send, as `Broadcaster` accepts it. */
export type OutgoingMessage<C extends AnyContract> = {
  [T in ServerType<C>]: MessageOf<T, OutgoingPayload<C, T>>;
}[ServerType<C>];
/** Every message that a client may get, discriminated by `type`, so that a `switch` can be exhaustive. */
export type ServerMessage<C extends AnyContract> = {
  [T in ServerType<C>]: MessageOf<T, ServerPayload<C, T>>;
}[ServerType<C>];

type MessageOf<T extends string, P> = [P] extends [null]
  ? { type: T; payload?: null }
  : { type: T; payload: P };

type ReplyOf<Entry> = Entry extends { readonly reply: infer R extends PayloadDefinition } ? R : null;

type Sent<D extends PayloadDefinition> = D extends StandardSchemaV1
  ? StandardSchemaV1.InferInput<D>
  : InstanceOf<D>;

type ClientSent<D extends PayloadDefinition> = D extends StandardSchemaV1
  ? StandardSchemaV1.InferInput<D>
  : JsonInput<InstanceOf<D>>;

type Validated<D extends PayloadDefinition> = D extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<D>
  : InstanceOf<D>;

type InstanceOf<D> = D extends new () => infer I ? I : null;
