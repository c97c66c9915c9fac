import { performance } from 'node:perf_hooks';
import { BackplaneError } from '../../../lib/backplane/backplane-error.js';
import { message } from '../../../lib/testing/recording-node.js';
import { RedisNode } from '../../rig/redis/redis-node.js';
import { until } from '../../rig/clock/until.js';
import type { RedisConfiguration } from '../../../lib/backplane/redis/client/redis-configuration.js';

const SUBSCRIBERS = 3;
const ROOMS = 1_000;
const PER_TICK = 5;
const TICK_MS = 5;

/** The outcome of the publications of one phase. */
export interface DeliveryCounts {
  readonly phase: string;
  published: number;
  accepted: number;
  /** Rejected with a `BackplaneError`, by its reason. */
  readonly failures: Record<string, number>;
  untyped: number;
  delivered: number;
  /** Accepted and not delivered to a subscribed node, by whether the receipt's `nodes` reported it. */
  missingReported: number;
  missingSilently: number;
  doubled: number;
  reordered: number;
  longestMs: number;
}

/** What one outage cost, with the time of the last affected publication, in milliseconds after its start. */
export interface Toll {
  rejected: number;
  lastRejectedMs: number;
  /** Accepted, and missing at a subscribed node. */
  lost: number;
  lastLostMs: number;
  /** The longest latency of a publication that arrived. */
  longestMs: number;
}

interface Published {
  readonly at: number;
  tookMs: number;
  readonly counts: DeliveryCounts;
  readonly room: number;
  outcome: number | 'failed' | undefined;
  /** How often each subscriber received it. */
  readonly received: number[];
}

/** One node publishes without pause to a thousand rooms; three nodes subscribe to two thirds of them each; counts deliveries. */
export class FailoverOracle {
  readonly counted: DeliveryCounts[] = [];
  readonly subscribers: RedisNode[] = [];
  readonly #publisher: RedisNode;
  readonly #published: Published[] = [];
  readonly #lastHeard: number[][] = [];
  readonly #pending = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(redis: RedisConfiguration) {
    this.#publisher = new RedisNode(redis, 'publisher');
    for (let i = 0; i < SUBSCRIBERS; i++) this.subscribers.push(new RedisNode(redis, `subscriber-${i}`));
  }

  async start(): Promise<void> {
    await this.#publisher.start();
    for (const [i, node] of this.subscribers.entries()) {
      this.#lastHeard.push([]);
      await node.backplane.start({
        receive: (_channel, publication) =>
          this.#receive(i, Number(publication.kind === 'message' && publication.type)),
        stateChanged: (state) => node.states.push(state),
        interrupted: () => {},
      });
      const joins = Array.from({ length: ROOMS }, (_, room) => room).filter((room) => isEntitled(i, room));
      await node.subscribe(...joins.map((room) => `room:${room}`));
    }
  }

  /** Starts a phase: later publications count for it, and those of the last phase have all settled. */
  async phase(phase: string): Promise<void> {
    clearInterval(this.#timer);
    await this.#drained();
    this.counted.push({
      ...{ phase, published: 0, accepted: 0, failures: {}, untyped: 0, delivered: 0 },
      ...{ missingReported: 0, missingSilently: 0, doubled: 0, reordered: 0, longestMs: 0 },
    });
    this.#timer = setInterval(() => {
      for (let i = 0; i < PER_TICK; i++) this.#send(Math.floor(Math.random() * ROOMS));
    }, TICK_MS);
  }

  /** Subscriptions of the subscribers, without their probes. */
  get subscriptions(): { wanted: number; confirmed: number } {
    const counts = this.subscribers.map(({ backplane }) => backplane.subscriptions);
    const sum = (of: 'wanted' | 'confirmed') => counts.reduce((total, count) => total + count[of], 0);
    return { wanted: sum('wanted'), confirmed: sum('confirmed') };
  }

  /** Publications dropped because they came after a later one of their channel. */
  get late(): number {
    return this.subscribers.reduce((sum, { metrics }) => sum + metrics.received.of('late'), 0);
  }

  /** Resolves when Redis counts every subscriber of each room; with the time that took. */
  async healed(deadlineMs: number): Promise<number> {
    const begun = performance.now();
    for (let room = 0; room < ROOMS; room++) {
      await until(
        `room ${room} reaches its two subscribers`,
        async () => {
          const outcome = await this.#publisher.publish(`room:${room}`, 'NaN').catch(() => ({ nodes: 0 }));
          return outcome.nodes === SUBSCRIBERS - 1;
        },
        deadlineMs,
      );
    }
    const { wanted, confirmed } = this.subscriptions;
    if (wanted !== confirmed) throw new Error(`${confirmed} of ${wanted} subscriptions are confirmed.`);
    return performance.now() - begun;
  }

  /** Ends the publishing and counts the outcomes. */
  async settle(): Promise<void> {
    clearInterval(this.#timer);
    await this.#drained();
    for (const { counts, room, outcome, received } of this.#published) {
      const got = received.filter((times) => times > 0).length;
      counts.delivered += got;
      counts.doubled += received.filter((times) => times > 1).length;
      const missing = received.filter((times, i) => times === 0 && isEntitled(i, room)).length;
      if (typeof outcome !== 'number' || missing === 0) continue;
      if (outcome > got) counts.missingSilently += missing;
      else counts.missingReported += missing;
    }
  }

  /** The report on the publications of a phase, once they have settled. */
  tollOf(phase: string, begun: number): Toll {
    const toll = { rejected: 0, lastRejectedMs: 0, lost: 0, lastLostMs: 0, longestMs: 0 };
    for (const { counts, at, tookMs, room, outcome, received } of this.#published) {
      if (counts.phase !== phase) continue;
      if (outcome === 'failed') {
        toll.rejected++;
        toll.lastRejectedMs = Math.max(toll.lastRejectedMs, at - begun);
      } else if (received.some((times, i) => times === 0 && isEntitled(i, room))) {
        toll.lost++;
        toll.lastLostMs = Math.max(toll.lastLostMs, at - begun);
      } else toll.longestMs = Math.max(toll.longestMs, tookMs);
    }
    return toll;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#publisher, ...this.subscribers].map(({ backplane }) => backplane.stop()));
  }

  #send(room: number): void {
    const counts = this.counted.at(-1) as DeliveryCounts;
    const [id, begun] = [this.#published.length, performance.now()];
    const published: Published = {
      at: begun,
      tookMs: 0,
      counts,
      room,
      outcome: undefined,
      received: Array.from({ length: SUBSCRIBERS }, () => 0),
    };
    this.#published.push(published);
    counts.published++;
    const done = this.#publisher.backplane.publish(`room:${room}`, message(String(id))).then(
      ({ nodes }) => {
        counts.accepted++;
        published.outcome = nodes;
      },
      (error: unknown) => {
        published.outcome = 'failed';
        if (error instanceof BackplaneError) {
          counts.failures[error.reason] = (counts.failures[error.reason] ?? 0) + 1;
        } else counts.untyped++;
      },
    );
    const settled = done.then(() => {
      published.tookMs = performance.now() - begun;
      counts.longestMs = Math.max(counts.longestMs, published.tookMs);
      this.#pending.delete(settled);
    });
    this.#pending.add(settled);
  }

  #receive(subscriber: number, id: number): void {
    const published = this.#published[id];
    const last = this.#lastHeard[subscriber];
    if (published === undefined || last === undefined) return;
    published.received[subscriber] = (published.received[subscriber] ?? 0) + 1;
    if (id < (last[published.room] ?? -1)) published.counts.reordered++;
    last[published.room] = id;
  }

  async #drained(): Promise<void> {
    await Promise.all(this.#pending);
    await until('nothing more arrives', () => this.#isQuiet(), 10_000);
  }

  #quiet = { received: -1, since: 0 };

  #isQuiet(): boolean {
    const received = this.#published.reduce((sum, { received }) => sum + received.reduce((a, b) => a + b), 0);
    if (received !== this.#quiet.received) this.#quiet = { received, since: performance.now() };
    return performance.now() - this.#quiet.since > 300;
  }
}

function isEntitled(subscriber: number, room: number): boolean {
  return room % SUBSCRIBERS !== subscriber;
}
