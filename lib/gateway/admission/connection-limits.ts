import { newConnectionId } from '../../connections/connection-id.js';
import { networkOf } from './client-network.js';
import { Tally, type ConnectionPlaces } from './connection-counts.js';
import type { UpgradeRefusal } from './upgrade-rejection.js';

export interface ConnectionLimitsSettings {
  readonly nodeId: string;
  readonly maxConnections: number | false;
  readonly maxConnectionsPerIp: number | false;
  readonly maxConnectionsPerUser: number | false;
  readonly maxUnauthenticated: number | false;
  readonly maxUnauthenticatedPerIp: number | false;
}

const FULL: UpgradeRefusal = {
  reason: 'connections',
  status: 503,
  message: 'too many connections',
  retryAfter: 5,
};
const IP_FULL: UpgradeRefusal = { ...FULL, reason: 'connections_per_ip', status: 429 };
const USER_FULL: UpgradeRefusal = { ...FULL, reason: 'connections_per_user', status: 429 };
const UNAUTHENTICATED_FULL: UpgradeRefusal = { ...FULL, reason: 'unauthenticated' };
const UNAUTHENTICATED_IP_FULL: UpgradeRefusal = { ...IP_FULL, reason: 'unauthenticated_per_ip' };

/** How many connections there may be: all of this node, those of one IP and of one user, and those without a user yet. */
export class ConnectionLimits {
  #total = 0;
  readonly #unauthenticated = new Tally();

  constructor(
    readonly settings: ConnectionLimitsSettings,
    readonly places: ConnectionPlaces,
  ) {}

  /** Clients that have a seat, from their upgrade request on. */
  get total(): number {
    return this.#total;
  }

  /** Open connections that have not been authenticated yet. */
  get unauthenticated(): number {
    return this.#unauthenticated.total;
  }

  /** Gives a client a seat, from its upgrade request to its end; or says why there is none. */
  async enter(ip: string): Promise<Seat | UpgradeRefusal> {
    const { maxConnections, maxConnectionsPerIp, nodeId } = this.settings;
    if (maxConnections !== false && this.#total >= maxConnections) return FULL;
    this.#total++;
    const seat = new Seat(newConnectionId(nodeId), ip, this);
    if (maxConnectionsPerIp === false || (await seat.take('ip', networkOf(ip), maxConnectionsPerIp))) {
      return seat;
    }
    seat.leave();
    return IP_FULL;
  }

  /** @internal */
  left(): void {
    this.#total--;
  }

  /** @internal Counts one more that has to say `$auth` once it is connected; or says why it may not. */
  beginUnauthenticated(network: string): UpgradeRefusal | undefined {
    const { maxUnauthenticated: max, maxUnauthenticatedPerIp: maxPerIp } = this.settings;
    if (max !== false && this.#unauthenticated.total >= max) return UNAUTHENTICATED_FULL;
    if (maxPerIp !== false && this.#unauthenticated.of(network) >= maxPerIp) return UNAUTHENTICATED_IP_FULL;
    this.#unauthenticated.add(network);
    return undefined;
  }

  /** @internal */
  endUnauthenticated(network: string): void {
    this.#unauthenticated.remove(network);
  }
}

/** All the places one client takes, given back together. */
export class Seat {
  #taken: ['ip' | 'user', string][] | undefined;
  #hasLeft = false;
  /** The network it is counted by while it is unauthenticated. */
  #network: string | undefined;

  constructor(
    readonly connectionId: string,
    private readonly ip: string,
    private readonly limits: ConnectionLimits,
  ) {}

  /** Takes a place among the unauthenticated connections, until `identify` or `leave`; or says why there is none. */
  awaitAuthentication(): UpgradeRefusal | undefined {
    const network = networkOf(this.ip);
    const refusal = this.limits.beginUnauthenticated(network);
    if (refusal === undefined) this.#network = network;
    return refusal;
  }

  /** Takes a place among the user's connections, once it is known who this is; or says why there is none. */
  async identify(userId: string | undefined): Promise<UpgradeRefusal | undefined> {
    this.#endUnauthenticated();
    const { maxConnectionsPerUser } = this.limits.settings;
    if (userId === undefined || maxConnectionsPerUser === false) return undefined;
    return (await this.take('user', userId, maxConnectionsPerUser)) ? undefined : USER_FULL;
  }

  /** @internal */
  async take(kind: 'ip' | 'user', key: string, max: number): Promise<boolean> {
    const { places } = this.limits;
    const verdict = places.take(kind, key, this.connectionId, max);
    if (!(typeof verdict === 'boolean' ? verdict : await verdict)) return false;
    (this.#taken ??= []).push([kind, key]);
    // The client may have gone while Redis was asked.
    if (this.#hasLeft) this.#giveBack();
    return true;
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.limits.left();
    this.#endUnauthenticated();
    this.#giveBack();
  }

  #endUnauthenticated(): void {
    if (this.#network === undefined) return;
    this.limits.endUnauthenticated(this.#network);
    this.#network = undefined;
  }

  #giveBack(): void {
    for (const [kind, key] of this.#taken ?? []) this.limits.places.giveBack(kind, key, this.connectionId);
    this.#taken = undefined;
  }
}
