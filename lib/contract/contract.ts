import { isReservedType, MAX_TYPE_LENGTH } from '../protocol/envelope.js';
import type {
  ClientEntries,
  Contract,
  ContractOptions,
  Delivery,
  MessageEntry,
  ServerEntries,
} from './contract-entries.js';
import { definitionError, validatorFor } from './payload-definition.js';
import { isPlainObject } from './class/plain-input.js';

export type {
  AnyContract,
  ClientEntry,
  Contract,
  ContractOptions,
  Delivery,
  MessageEntry,
  PayloadDefinition,
  ServerEntry,
} from './contract-entries.js';

type Side = 'client' | 'server';

const DELIVERIES: ReadonlySet<unknown> = new Set<Delivery>(['live', 'volatile']);
const OBJECT_INTERNALS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const ENTRY_KEYS: Readonly<Record<Side, readonly string[]>> = {
  client: ['payload', 'reply', 'groups', 'cost'],
  server: ['payload', 'reply', 'groups', 'delivery'],
};

/** Declares the messages of clients and server. An invalid definition throws an error that names the entry. */
export function defineContract<
  const Client extends ClientEntries = Record<never, never>,
  const Server extends ServerEntries = Record<never, never>,
>(
  definition: { readonly client?: Client; readonly server?: Server },
  options: ContractOptions = {},
): Contract<Client, Server> {
  if (!isPlainObject(definition)) {
    throw definitionError(
      'The definition',
      `expected { client, server }, got ${String(definition)}`,
      'pass an object',
    );
  }
  for (const key of Object.keys(definition)) {
    if (key === 'client' || key === 'server') continue;
    throw definitionError('The definition', `has "${key}", which is neither client nor server`, 'remove it');
  }
  checkOptions(options);
  const client = readSide('client', definition['client'], options);
  const server = readSide('server', definition['server'], options);
  for (const type of client.messages.keys()) {
    if (!server.messages.has(type)) continue;
    throw definitionError(
      entryName('client', type),
      'is declared for the server too',
      'rename one of the two',
    );
  }
  return Object.freeze({
    client: client.entries as Client,
    server: server.entries as Server,
    clientMessages: client.messages,
    serverMessages: server.messages,
  });
}

function checkOptions({ unknownProperties = 'strip' }: ContractOptions): void {
  if (unknownProperties === 'strip' || unknownProperties === 'refuse') return;
  throw definitionError(
    'The option unknownProperties',
    `got "${String(unknownProperties)}"`,
    "use 'strip' or 'refuse'",
  );
}

function readSide(side: Side, section: unknown, options: ContractOptions) {
  const entries: Record<string, unknown> = {};
  const messages = new Map<string, MessageEntry>();
  if (section !== undefined && !isPlainObject(section)) {
    // `{ __proto__: … }` in a literal is not a plain object either.
    throw definitionError(`The ${side} section`, 'is not a plain object', 'make it { type: { payload }, … }');
  }
  for (const type of Reflect.ownKeys(section ?? {})) {
    const entry: unknown = (section as Record<PropertyKey, unknown>)[type];
    messages.set(type as string, readEntry(side, checkType(side, type), entry, options));
    entries[type as string] = Object.freeze({ ...(entry as object) });
  }
  return { entries: Object.freeze(entries), messages: messages as ReadonlyMap<string, MessageEntry> };
}

function checkType(side: Side, type: PropertyKey): string {
  const name = entryName(side, type);
  if (typeof type !== 'string' || type === '')
    throw definitionError(name, 'has no name', 'give it a non-empty string');
  if (type.length > MAX_TYPE_LENGTH) {
    throw definitionError(name, `has a name of ${type.length} characters`, `use at most ${MAX_TYPE_LENGTH}`);
  }
  if (isReservedType(type) || OBJECT_INTERNALS.has(type)) {
    throw definitionError(
      name,
      'has a reserved name',
      'choose another than $…, ping, pong and object internals',
    );
  }
  return type;
}

function readEntry(side: Side, type: string, entry: unknown, options: ContractOptions): MessageEntry {
  const name = entryName(side, type);
  if (!isPlainObject(entry)) throw definitionError(name, 'is not an object', 'write { payload: … }');
  for (const key of Object.keys(entry)) {
    if (ENTRY_KEYS[side].includes(key)) continue;
    throw definitionError(name, `has an unknown option "${key}"`, `use only ${ENTRY_KEYS[side].join(', ')}`);
  }
  const delivery = entry['delivery'] ?? 'live';
  if (!DELIVERIES.has(delivery)) {
    throw definitionError(name, `has the delivery "${String(delivery)}"`, "use 'live' or 'volatile'");
  }
  const cost = entry['cost'] ?? 1;
  if (typeof cost !== 'number' || !Number.isFinite(cost) || cost < 0) {
    throw definitionError(name, `has the cost ${String(cost)}`, 'use a number of 0 or more');
  }
  const payload = validatorFor(`${name}: its payload`, entry['payload'], entry['groups'], options);
  const reply =
    entry['reply'] === undefined
      ? undefined
      : validatorFor(`${name}: its reply`, entry['reply'], undefined, options);
  return Object.freeze({ type, payload, reply, delivery: delivery as Delivery, cost });
}

function entryName(side: Side, type: PropertyKey): string {
  return `The ${side} message "${String(type).slice(0, MAX_TYPE_LENGTH)}"`;
}
