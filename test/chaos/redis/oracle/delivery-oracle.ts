import type { Receipt } from 'nestjs-realtime';
import type { Crowd } from './crowd.js';
import type { CrowdConnection } from '../crowd-connection.js';
import type { Verb } from '../crowd-contract.js';
import { candidates, channelFor, standing, type Target } from './entitlement.js';

/** A message in flight, or checked. */
interface Message {
  readonly n: number;
  readonly verb: Verb;
  readonly sender: number;
  readonly issuedAt: number;
  readonly target: Target;
  readonly confirmed: boolean;
  readonly seen: Map<CrowdConnection, number>;
  /** Connections whose membership changed while it was in flight, so that either outcome is correct. */
  readonly unsettled: Set<CrowdConnection>;
  receipt: Receipt | undefined;
  hasEnded: boolean;
  isChecked: boolean;
}

const MAX_EXAMPLES = 10;

/** Tracks which connections were entitled to each message, and which received it. */
export class DeliveryOracle {
  readonly found = {
    messages: 0,
    expected: 0,
    received: 0,
    unsettled: 0,
    doubled: 0,
    doubledUnsettled: 0,
    reordered: 0,
    stray: 0,
    claims: 0,
    falseClaims: 0,
    partial: 0,
    cutOff: 0,
  };
  /** The faults found, the first few as sentences. */
  readonly examples: string[] = [];
  readonly #messages = new Map<number, Message>();
  readonly #open = new Set<Message>();
  #missing = 0;
  #count = 0;

  constructor(private readonly crowd: Crowd) {}

  get missing(): number {
    let owed = 0;
    for (const connection of this.crowd.seen) owed += connection.owed.size;
    return this.#missing + owed;
  }

  get unchecked(): number {
    return this.#open.size;
  }

  /** Called before the message is issued; returns its number. */
  issue(sender: number, verb: Verb, target: Target, confirmed: boolean): Message {
    const message: Message = {
      ...{ n: ++this.#count, verb, sender, issuedAt: performance.now(), target, confirmed },
      ...{ seen: new Map(), unsettled: new Set(), receipt: undefined, hasEnded: false, isChecked: false },
    };
    this.#messages.set(message.n, message);
    this.#open.add(message);
    this.found.messages++;
    return message;
  }

  ended(message: Message, receipt?: Receipt): void {
    message.receipt = receipt;
    message.hasEnded = true;
  }

  received(connection: CrowdConnection, n: number): void {
    const message = this.#messages.get(n);
    if (message === undefined) return this.#wrong('stray', `${n} was never sent`);
    this.found.received++;
    const times = (message.seen.get(connection) ?? 0) + 1;
    message.seen.set(connection, times);
    this.#checkOrder(connection, message);
    if (!message.isChecked || connection.owed.delete(n) || message.unsettled.has(connection)) return;
    this.#wrong(times > 1 ? 'doubled' : 'stray', this.#words(message, connection, 'late'));
  }

  /** Every node has carried out what this sender issued up to this point. */
  carriedOut(sender: number, until: number): void {
    for (const message of this.#open) {
      if (message.sender === sender && message.n < until && message.hasEnded) this.#check(message);
    }
  }

  claim(isTrue: boolean, claim: () => string): void {
    this.found.claims++;
    if (!isTrue) this.#wrong('falseClaims', claim());
  }

  /** A receipt reported that it is partial, which a busy machine can cause. */
  partial(): void {
    this.found.partial++;
  }

  /** Messages still due to a connection that its own client cut are lost with it. */
  cutOff(connection: CrowdConnection): void {
    this.found.cutOff += connection.owed.size;
    connection.owed.clear();
  }

  gone(connection: CrowdConnection): void {
    this.#missing += connection.owed.size;
  }

  /** The first messages still due, as sentences. */
  owedExamples(): string[] {
    return [...this.crowd.seen]
      .flatMap((connection) =>
        [...connection.owed].map((n) => ({ connection, message: this.#messages.get(n) })),
      )
      .slice(0, MAX_EXAMPLES)
      .map(({ message, connection }) => `missing: ${message && this.#words(message, connection, 'owed')}`);
  }

  #check(message: Message): void {
    this.#open.delete(message);
    message.isChecked = true;
    const { seen, unsettled, issuedAt, target, sender } = message;
    const entitled: CrowdConnection[] = [];
    for (const connection of candidates(this.crowd, target)) {
      const stands = standing(connection, target, issuedAt, sender);
      if (stands === 'unsettled') unsettled.add(connection);
      else if (stands === 'in') entitled.push(connection);
    }
    this.found.expected += entitled.length;
    this.found.unsettled += unsettled.size;
    for (const connection of entitled) if (!seen.has(connection)) connection.owed.add(message.n);
    for (const [connection, times] of seen) {
      const stands = standing(connection, target, issuedAt, sender);
      if (stands === 'unsettled') unsettled.add(connection);
      if (stands === 'out') this.#wrong('stray', this.#words(message, connection, 'out'));
      if (times > 1 && stands === 'unsettled') this.found.doubledUnsettled++;
      else if (times > 1) this.#wrong('doubled', this.#words(message, connection, stands));
    }
    if (message.receipt !== undefined) this.#audit(message, message.receipt, entitled);
  }

  #audit(
    { n, verb, confirmed, sender, unsettled, target }: Message,
    receipt: Receipt,
    entitled: CrowdConnection[],
  ): void {
    const details = () => `${n} ${verb} ${JSON.stringify(receipt)}, entitled ${entitled.length}`;
    const { failure, missingNodes, scope } = receipt;
    this.claim(scope === (target.isLocal || failure !== null ? 'node' : 'cluster'), details);
    if (failure !== null || missingNodes > 0) return this.partial();
    if (unsettled.size > 0) return;
    const known = confirmed ? entitled : entitled.filter(({ node }) => node === sender);
    this.claim(receipt.delivered === known.length, details);
    const others = new Set(entitled.map(({ node }) => node).filter((node) => node !== sender));
    // Several users or rooms are separate publications, and the total number of nodes is not counted.
    if (target.isLocal || (target.kind !== 'all' && target.keys.length > 1)) return;
    this.claim(receipt.nodes >= others.size, details);
  }

  #checkOrder(connection: CrowdConnection, message: Message): void {
    const channel = channelFor(connection, message.target, message.issuedAt);
    if (channel === undefined) return;
    const key = `${message.sender} ${channel}`;
    const last = connection.last.get(key) ?? 0;
    if (message.n < last) this.#wrong('reordered', this.#words(message, connection, `after ${last}`));
    else connection.last.set(key, message.n);
  }

  #wrong(kind: 'stray' | 'doubled' | 'reordered' | 'falseClaims', words: string): void {
    this.found[kind]++;
    if (this.examples.length < MAX_EXAMPLES) this.examples.push(`${kind}: ${words}`);
  }

  #words({ n, verb, sender, target }: Message, { userId, node }: CrowdConnection, stands: string): string {
    const to = target.kind === 'connection' ? 'one' : target.keys.join(',');
    return `${n} ${verb} from node ${sender} to ${target.kind} ${to}, ${userId} on node ${node}, ${stands}`;
  }
}
