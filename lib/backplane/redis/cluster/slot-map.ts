import type { Cluster } from 'ioredis';
import { withTimeout } from '../client/with-timeout.js';

/** Where a node of a cluster is reached. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a node says of a slot. */
export interface SlotOwner {
  readonly address: Address;
  /** The keys of the owner's replicas. */
  readonly replicas: ReadonlySet<string>;
}

// A node that takes longer is not worth waiting for: there are others to ask.
const TIMEOUT_MS = 500;

/** Who owns which slot, as the nodes of a cluster say it. */
export class SlotMap {
  constructor(private readonly client: Cluster) {}

  /** Asks one node, another one for each attempt; resolves with what it says of those slots that have an owner. */
  async read(attempt: number, slots: Iterable<number>): Promise<Map<number, SlotOwner>> {
    const nodes = this.client.nodes('all');
    const node = nodes[attempt % nodes.length];
    if (node === undefined) throw new Error('No node of the Redis Cluster is known yet.');
    return this.#owners(node.cluster('SLOTS'), node.options.host, slots);
  }

  /** What a master says itself of these slots. */
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
    // An empty host stands for the node that was asked.
    const ranges = this.#ranges(reply, askedHost ?? '127.0.0.1');
    const owners = new Map<number, SlotOwner>();
    for (const slot of slots) {
      const range = ranges.find(({ from, to }) => from <= slot && slot <= to);
      if (range !== undefined) owners.set(slot, range);
    }
    return owners;
  }

  /** The `natMap` of the user's client: what the cluster calls a node, and how it is reached from here. */
  #mapped(address: Address): Address {
    const { natMap } = this.client.options;
    const key = keyOf(address);
    const mapped = typeof natMap === 'function' ? natMap(key) : natMap?.[key];
    return mapped ? { host: mapped.host, port: mapped.port } : address;
  }

  #ranges(reply: unknown, askedHost: string): readonly (SlotOwner & { from: number; to: number })[] {
    if (!Array.isArray(reply)) throw new Error('CLUSTER SLOTS was not answered with a list.');
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

export function keyOf({ host, port }: Address): string {
  return `${host}:${port}`;
}
