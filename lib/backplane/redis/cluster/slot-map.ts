// oxlint-disable-next-line triple-slash-reference -- projects that include lib/ by imports alone need it too
/// <reference path="./cluster-key-slot.d.ts" />
import calculateSlot from 'cluster-key-slot';
import type { Cluster } from 'ioredis';
import { withTimeout } from '../client/with-timeout.js';

/** Where a node of a cluster is reached. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** The owner of a slot, as one node reports it. */
export interface SlotOwner {
  readonly address: Address;
  /** The keys of the owner's replicas. */
  readonly replicas: ReadonlySet<string>;
}

// Another node is asked after this time.
const TIMEOUT_MS = 500;

/** Reads the owners of slots from the nodes of a cluster. */
export class SlotMap {
  constructor(private readonly client: Cluster) {}

  /** Asks one node, another for each attempt; resolves with the owners of those slots that have one. */
  async read(attempt: number, slots: Iterable<number>): Promise<Map<number, SlotOwner>> {
    const nodes = this.client.nodes('all');
    const node = nodes[attempt % nodes.length];
    if (node === undefined) throw new Error('No node of the Redis Cluster is known yet.');
    return this.#owners(node.cluster('SLOTS'), node.options.host, slots);
  }

  /** The owners of these slots according to a master's own reply. */
  of(host: string, reply: Promise<unknown>, slots: Iterable<number>): Promise<Map<number, SlotOwner>> {
    return this.#owners(reply, host, slots);
  }

  /** The owner that a `MOVED` error names, or `undefined` for another error. */
  movedTo(error: Error, askedHost: string): { slot: number; address: Address } | undefined {
    const match = /^MOVED (\d+) (.*):(\d+)$/.exec(error.message);
    if (match === null) return undefined;
    const [, slot, host, port] = match as unknown as [string, string, string, string];
    const address = this.#mapped({ host: host === '' ? askedHost : host, port: Number(port) });
    return { slot: Number(slot), address };
  }

  async #owners(
    asked: Promise<unknown>,
    askedHost: string | undefined,
    slots: Iterable<number>,
  ): Promise<Map<number, SlotOwner>> {
    const reply = await withTimeout(TIMEOUT_MS, asked);
    // An empty host means the node that was asked.
    const ranges = this.#ranges(reply, askedHost ?? '127.0.0.1');
    const owners = new Map<number, SlotOwner>();
    for (const slot of slots) {
      const range = ranges.find(({ from, to }) => from <= slot && slot <= to);
      if (range !== undefined) owners.set(slot, range);
    }
    return owners;
  }

  /** Applies the `natMap` of the user's client, from the cluster's address of a node to the one to connect to. */
  #mapped(address: Address): Address {
    const { natMap } = this.client.options;
    const key = keyOf(address);
    const mapped = typeof natMap === 'function' ? natMap(key) : natMap?.[key];
    return mapped ? { host: mapped.host, port: mapped.port } : address;
  }

  #ranges(reply: unknown, askedHost: string): readonly (SlotOwner & { from: number; to: number })[] {
    if (!Array.isArray(reply)) throw new Error('Expected a list in reply to CLUSTER SLOTS.');
    return (reply as [unknown, unknown, ...[unknown, unknown][]][]).flatMap(([from, to, ...nodes]) => {
      const addresses = nodes.map(([host, port]) =>
        this.#mapped({ host: String(host ?? '') || askedHost, port: Number(port) }),
      );
      const [address, ...replicas] = addresses;
      // `?` is a master whose address is not known yet.
      if (address === undefined || address.host === '?') return [];
      return [{ from: Number(from), to: Number(to), address, replicas: new Set(replicas.map(keyOf)) }];
    });
  }
}

/** The slot of a name, which its tag decides; names of this library begin with prefix and tag. */
export const slotOf: (name: string | Buffer) => number = calculateSlot;

export function keyOf({ host, port }: Address): string {
  return `${host}:${port}`;
}
