import type { Receipt } from 'nestjs-realtime';
import { CrowdConnection } from '../crowd-connection.js';
import { pause } from '../failover-report.js';
import type { PilotedNode } from '../piloted-node.js';

const TICK_MS = 50;
const BULK_BYTES = 65_536;
export const HALL = 'hall';

/** Counts of the traffic during one fault. */
export class TrafficCounts {
  issued = 0;
  /** Deliveries to the sender's own clients, which must not depend on Redis. */
  localExpected = 0;
  localSeen = 0;
  remoteSeen = 0;
  doubled = 0;
  reordered = 0;
  closed = 0;
  longestMs = 0;
  /** Failures reported by receipts, by reason. */
  readonly failures: Record<string, number> = {};
  /** Rejections, and results that are not receipts. */
  readonly untyped: string[] = [];
}

interface Sent {
  readonly counts: TrafficCounts;
  readonly sender: number;
  readonly channel: string;
  readonly seen: Set<CrowdConnection>;
}

const REASONS: ReadonlySet<unknown> = new Set([null, 'unavailable', 'timeout', 'overloaded', 'refused']);

/** Clients on every node. Each tick, a random node sends to all of them and to one user of every node. */
export class FaultTraffic {
  readonly connections: CrowdConnection[] = [];
  /** Nodes that do not send. */
  readonly silent = new Set<number>();
  counts = new TrafficCounts();
  readonly #sent = new Map<number, Sent>();
  readonly #underWay = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #count = 0;
  #isOver = false;

  constructor(
    private readonly nodes: readonly PilotedNode[],
    private readonly perNode: number,
  ) {}

  get size(): number {
    return this.connections.length;
  }

  get open(): number {
    return this.connections.filter(({ isOpen }) => isOpen).length;
  }

  async start(): Promise<void> {
    for (const { port, index } of this.nodes) {
      for (let i = 0; i < this.perNode; i++) {
        const connection = new CrowdConnection(port, index, `user${i}`, {
          received: (by, n) => this.#received(by, n),
          closed: () => {
            if (!this.#isOver) this.counts.closed++;
          },
        });
        await connection.opened();
        await connection.change('join', HALL);
        this.connections.push(connection);
      }
    }
    this.#timer = setInterval(() => {
      const senders = this.nodes.filter(({ index }) => !this.silent.has(index));
      const sender = senders[this.#count % senders.length];
      if (sender === undefined) return;
      void this.send(sender, 'sendToRoom', HALL, this.perNode);
      void this.send(sender, 'sendToUser', `user${this.#count % this.perNode}`, 1);
    }, TICK_MS);
  }

  stop(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  /** Loads a node's Redis connection without loading clients: `except` names all of them. */
  async bulk(sender: PilotedNode, messages: number): Promise<void> {
    const note = { type: 'note', payload: { n: 0, pad: 'x'.repeat(BULK_BYTES) } };
    const except = this.connections.map(({ id }) => id);
    await Promise.all(
      Array.from({ length: messages }, () => sender.do('sendToRoom', HALL, note, { except })),
    );
  }

  /** Later messages are counted in these counts. */
  begin(): TrafficCounts {
    return (this.counts = new TrafficCounts());
  }

  /** Resolves when no message is in flight. */
  async drained(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  send(sender: PilotedNode, verb: 'sendToRoom' | 'sendToUser', key: string, local: number): Promise<void> {
    const sending = this.#send(sender, verb, key, local);
    this.#underWay.add(sending);
    return sending.finally(() => this.#underWay.delete(sending));
  }

  /** Whether each of these nodes reaches every client of all of them, by the receipts and by what the clients receive. */
  async isNormal(): Promise<boolean> {
    const rounds = this.nodes.map(async (node) => {
      const n = ++this.#count;
      this.#sent.set(n, {
        counts: this.counts,
        sender: node.index,
        channel: `sendToRoom ${HALL}`,
        seen: new Set(),
      });
      this.counts.localExpected += this.perNode;
      const note = { type: 'note', payload: { n, pad: '' } };
      const ended = await node.do('sendToRoom', HALL, note, { confirmWithinMs: 1_000 });
      if (!ended.ok) return false;
      const { delivered, nodes, missingNodes, failure } = ended.value as Receipt;
      return (
        failure === null && missingNodes === 0 && nodes >= this.nodes.length - 1 && delivered >= this.size
      );
    });
    const isNormal = (await Promise.all(rounds)).every(Boolean);
    // Polled with a pause, so that polling does not become the traffic.
    if (!isNormal) await pause(TICK_MS);
    return isNormal;
  }

  async #send(
    sender: PilotedNode,
    verb: 'sendToRoom' | 'sendToUser',
    key: string,
    local: number,
  ): Promise<void> {
    const { counts } = this;
    const n = ++this.#count;
    this.#sent.set(n, { counts, sender: sender.index, channel: `${verb} ${key}`, seen: new Set() });
    counts.issued++;
    counts.localExpected += local;
    const at = performance.now();
    const ended = await sender.do(verb, key, { type: 'note', payload: { n, pad: '' } });
    counts.longestMs = Math.max(counts.longestMs, performance.now() - at);
    const failure = ended.ok ? (ended.value as Receipt).failure : ended.error;
    if (!REASONS.has(failure)) counts.untyped.push(String(failure));
    else if (failure !== null) counts.failures[failure] = (counts.failures[failure] ?? 0) + 1;
  }

  #received(by: CrowdConnection, n: number): void {
    const sent = this.#sent.get(n);
    if (sent === undefined) return;
    const { counts, sender, channel, seen } = sent;
    if (seen.has(by)) counts.doubled++;
    seen.add(by);
    if (by.node === sender) counts.localSeen++;
    else counts.remoteSeen++;
    const key = `${sender} ${channel}`;
    if (n < (by.last.get(key) ?? 0)) counts.reordered++;
    else by.last.set(key, n);
  }
}
