import type { RedisTopology } from './pubsub/redis-topology.js';

type Subscriptions = Pick<RedisTopology, 'isWanted' | 'received'>;

/**
 * Tells whether Redis counted this node itself among the receivers of a publication that was sent before Redis had
 * confirmed this node's subscription. Redis sends such a publication back, which no other sign tells in time.
 */
export class OwnEchoes {
  /** The sequence numbers of publications that have not come back. */
  readonly #expected = new Set<number>();

  constructor(private readonly subscriptions: Subscriptions) {}

  get size(): number {
    return this.#expected.size;
  }

  /** A publication is sent to a channel whose subscription is not confirmed, if there is one. */
  expect(sequence: number): void {
    this.#expected.add(sequence);
  }

  received(sequence: number): void {
    this.#expected.delete(sequence);
  }

  /** The publication failed. */
  forget(sequence: number): void {
    this.#expected.delete(sequence);
  }

  /** How many of the receivers of a published message are this node. */
  countOf(name: string, sequence: number): number | Promise<number> {
    if (!this.#expected.has(sequence)) return 1;
    if (this.subscriptions.isWanted(name)) return this.#countWhenRead(name, sequence);
    this.#expected.delete(sequence);
    return 0;
  }

  async #countWhenRead(name: string, sequence: number): Promise<number> {
    await this.subscriptions.received(name);
    return this.#expected.delete(sequence) ? 0 : 1;
  }
}
