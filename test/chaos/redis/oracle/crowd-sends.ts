import type { Receipt, SendOptions } from 'nestjs-realtime';
import type { Random } from '../../random.js';
import type { Crowd } from './crowd.js';
import type { CrowdConnection } from '../crowd-connection.js';
import type { Verb } from '../crowd-contract.js';
import type { DeliveryOracle } from './delivery-oracle.js';
import type { Target } from './entitlement.js';
import type { PilotedNode } from '../piloted-node.js';

const CONFIRM_MS = 10_000;
const MAX_KEYS = 3;
const BEACON = 'beacon';

const to = (kind: Target['kind'], ...keys: string[]) => ({ kind, keys });

/** Every kind of send and request, from a random node to random recipients. */
export class CrowdSends {
  constructor(
    private readonly crowd: Crowd,
    private readonly nodes: readonly PilotedNode[],
    private readonly oracle: DeliveryOracle,
    private readonly random: Random,
  ) {}

  toRoom(): Promise<void> {
    const { name } = this.random.pick(this.crowd.rooms);
    return this.#send('sendToRoom', name, to('rooms', name));
  }

  toRooms(): Promise<void> {
    const names = this.#several(() => this.random.pick(this.crowd.rooms).name);
    return this.#send('sendToRooms', names, to('rooms', ...names));
  }

  toUser(): Promise<void> {
    const { id } = this.random.pick(this.crowd.users);
    return this.#send('sendToUser', id, to('users', id));
  }

  toUsers(): Promise<void> {
    const ids = this.#several(() => this.random.pick(this.crowd.users).id);
    return this.#send('sendToUsers', ids, to('users', ...ids));
  }

  toConnection(): Promise<void> {
    const { id } = this.#someone();
    return this.#send('sendToConnection', id, to('connection', id));
  }

  toAll(): Promise<void> {
    return this.#send('broadcast', undefined, to('all'));
  }

  requestFromUser(): Promise<void> {
    const { userId } = this.#someone();
    return this.#ask('requestFromUser', userId, to('users', userId));
  }

  requestFromConnection(): Promise<void> {
    const { id } = this.#someone();
    return this.#ask('requestFromConnection', id, to('connection', id));
  }

  /**
   * Sends a marker from a node. A node publishes on one connection and subscribes on one, so a node that confirms the
   * marker has carried out everything that was issued before it.
   */
  async beacon(node: PilotedNode): Promise<void> {
    const target: Target = { ...to('rooms', BEACON), except: new Set(), isLocal: false };
    const message = this.oracle.issue(node.index, 'sendToRoom', target, true);
    const receipt = await node.receipt('sendToRoom', BEACON, noteOf(message.n), {
      confirmWithinMs: CONFIRM_MS,
    });
    this.oracle.ended(message, receipt);
    const isHeardByAll = receipt.failure === null && receipt.missingNodes === 0;
    if (isHeardByAll && receipt.nodes === this.nodes.length - 1)
      this.oracle.carriedOut(node.index, message.n);
  }

  /** One connection on each node that is never moved or closed. */
  async lightBeacons(): Promise<void> {
    this.crowd.addRoom(BEACON, 0);
    const keeper = this.crowd.userOf(BEACON);
    keeper.isBusy = true;
    for (const node of this.nodes) {
      await this.crowd.move(await this.crowd.open(keeper, node), 'join', BEACON);
    }
  }

  async #send(verb: Verb, key: unknown, whom: Pick<Target, 'kind' | 'keys'>): Promise<void> {
    const excepted = this.random.next() < 0.15 ? this.#excepted(whom) : [];
    const options: SendOptions = {
      except: excepted,
      local: this.random.next() < 0.05,
      confirmWithinMs: this.random.next() < 0.4 && CONFIRM_MS,
    };
    const { local: isLocal = false, confirmWithinMs } = options;
    const node = this.random.pick(this.nodes);
    const target: Target = { ...whom, except: new Set(excepted), isLocal };
    const message = this.oracle.issue(node.index, verb, target, confirmWithinMs !== false);
    const note = noteOf(message.n);
    const args = key === undefined ? [note, options] : [key, note, options];
    let receipt: Receipt | undefined;
    try {
      receipt = await node.receipt(verb, ...args);
    } finally {
      this.oracle.ended(message, receipt);
    }
  }

  async #ask(verb: Verb, key: string, whom: Pick<Target, 'kind' | 'keys'>): Promise<void> {
    const node = this.random.pick(this.nodes);
    const target: Target = { ...whom, except: new Set(), isLocal: false };
    const message = this.oracle.issue(node.index, verb, target, false);
    const request = { type: 'ask', payload: { n: message.n, pad: '' } };
    const ended = await node.do(verb, key, request, { timeoutMs: CONFIRM_MS });
    const receivers = [...message.seen.keys()];
    // A client that has just left cannot reply, and the request reports that.
    if (ended.ok || receivers.some(({ presence }) => presence.sinceThen(message.issuedAt) === 'in')) {
      const by = ended.ok ? (ended.value as { by: string }).by : ended.error;
      this.oracle.claim(
        receivers.some(({ id }) => id === by),
        () => `${message.n} ${verb} ${key} answered by ${by}`,
      );
    }
    this.oracle.ended(message);
  }

  #someone(): CrowdConnection {
    for (;;) {
      const [...connections] = this.random.pick(this.crowd.users).connections;
      const open = connections.filter(({ presence }) => presence.isIn);
      if (open.length > 0) return this.random.pick(open);
    }
  }

  /** A connection and a session to except, from the recipients if there are any. */
  #excepted({ kind, keys }: Pick<Target, 'kind' | 'keys'>): string[] {
    const seen = kind === 'rooms' ? [...this.crowd.lately(keys[0] ?? '')] : [];
    const open = seen.filter(({ presence }) => presence.isIn);
    const [one, other] = [0, 1].map(() => (open.length > 0 ? this.random.pick(open) : this.#someone()));
    return [one?.id ?? '', other?.sessionId ?? ''];
  }

  #several(pick: () => string): string[] {
    return [...new Set(Array.from({ length: 1 + this.random.below(MAX_KEYS) }, pick))];
  }
}

function noteOf(n: number): { type: string; payload: { n: number; pad: string } } {
  return { type: 'note', payload: { n, pad: '' } };
}
