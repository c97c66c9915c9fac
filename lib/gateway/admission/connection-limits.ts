import { newConnectionId } from '../../connections/connection-id.js';
import { networkOf } from './client-network.js';
import { DeliveryCounts, type ConnectionCounts } from './connection-counts.js';
import type { UpgradeRejection } from './upgrade-rejection.js';

export interface ConnectionLimitsSettings {
  readonly nodeId: string;
  readonly maxConnections: number | false;
  readonly maxConnectionsPerIp: number | false;
  readonly maxConnectionsPerUser: number | false;
  readonly maxUnauthenticated: number | false;
  readonly maxUnauthenticatedPerIp: number | false;
}

const FULL: UpgradeRejection = {
  reason: 'connections',
  status: 503,
  message: 'too many connections',
  retryAfter: 5,
};
const IP_FULL: UpgradeRejection = { ...FULL, reason: 'connections_per_ip', status: 429 };
const USER_FULL: UpgradeRejection = { ...FULL, reason: 'connections_per_user', status: 429 };
const UNAUTHENTICATED_FULL: UpgradeRejection = { ...FULL, reason: 'unauthenticated' };
const UNAUTHENTICATED_IP_FULL: UpgradeRejection = { ...IP_FULL, reason: 'unauthenticated_per_ip' };

/** How many connections there may be: all of this node, those of one IP and of one user, and those without a user yet. */
export class ConnectionLimits {
  #total = 0;
  readonly #unauthenticated = new DeliveryCounts();

  constructor(
    readonly settings: ConnectionLimitsSettings,
    readonly counts: ConnectionCounts,
  ) {}

  /** Clients that have a permit, from their upgrade request on. */
  get total(): number {
    return this.#total;
  }

  /** Open connections that have not been authenticated yet. */
  get unauthenticated(): number {
    return this.#unauthenticated.total;
  }

  /** Gives a client a permit, from its upgrade request to its end; or says why there is none. */
  async enter(ip: string): Promise<ConnectionPermit | UpgradeRejection> {
    const { maxConnections, maxConnectionsPerIp, nodeId } = this.settings;
    if (maxConnections !== false && this.#total >= maxConnections) return FULL;
    this.#total++;
    const permit = new ConnectionPermit(newConnectionId(nodeId), ip, this);
    if (maxConnectionsPerIp === false || (await permit.take('ip', networkOf(ip), maxConnectionsPerIp))) {
      return permit;
    }
    permit.leave();
    return IP_FULL;
  }

  /** @internal */
  left(): void {
    this.#total--;
  }

  /** @internal Counts one more that has to say `$auth` once it is connected; or says why it may not. */
  beginUnauthenticated(network: string): UpgradeRejection | undefined {
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

/** All the counts one client takes, given back together. */
export class ConnectionPermit {
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
  awaitAuthentication(): UpgradeRejection | undefined {
    const network = networkOf(this.ip);
    const refusal = this.limits.beginUnauthenticated(network);
    if (refusal === undefined) this.#network = network;
    return refusal;
  }

  /** Takes a place among the user's connections, once it is known who this is; or says why there is none. */
  async identify(userId: string | undefined): Promise<UpgradeRejection | undefined> {
    this.#endUnauthenticated();
    const { maxConnectionsPerUser } = this.limits.settings;
    if (userId === undefined || maxConnectionsPerUser === false) return undefined;
    return (await this.take('user', userId, maxConnectionsPerUser)) ? undefined : USER_FULL;
  }

  /** @internal */
  async take(kind: 'ip' | 'user', key: string, max: number): Promise<boolean> {
    const { counts } = this.limits;
    const verdict = counts.take(kind, key, this.connectionId, max);
    if (!(typeof verdict === 'boolean' ? verdict : await verdict)) return false;
    (this.#taken ??= []).push([kind, key]);
    // The client may have gone while Redis was asked.
    if (this.#hasLeft) this.#release();
    return true;
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.limits.left();
    this.#endUnauthenticated();
    this.#release();
  }

  #endUnauthenticated(): void {
    if (this.#network === undefined) return;
    this.limits.endUnauthenticated(this.#network);
    this.#network = undefined;
  }

  #release(): void {
    for (const [kind, key] of this.#taken ?? []) this.limits.counts.release(kind, key, this.connectionId);
    this.#taken = undefined;
  }
}
