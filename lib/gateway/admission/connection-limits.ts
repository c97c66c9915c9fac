import { newConnectionId } from '../../connections/connection-id.js';
import { networkOf } from './client-network.js';
import { KeyCounts, type ConnectionCounts, type CountKind } from './connection-counts.js';
import { PASSED, rejected, type Checked, type UpgradeRejection } from './upgrade-rejection.js';

export interface ConnectionLimitsSettings {
  readonly maxConnections: number | false;
  readonly maxConnectionsPerIp: number | false;
  readonly maxConnectionsPerUser: number | false;
  readonly maxUnauthenticated: number | false;
  readonly maxUnauthenticatedPerIp: number | false;
}

export const CONNECTION_LIMITS_DEFAULTS: ConnectionLimitsSettings = {
  maxConnections: 50_000,
  maxConnectionsPerIp: false,
  maxConnectionsPerUser: false,
  maxUnauthenticated: 1_000,
  maxUnauthenticatedPerIp: 200,
};

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

/** Connection limits: per node, per IP, per user, and unauthenticated. */
export class ConnectionLimits {
  #total = 0;
  readonly #unauthenticated = new KeyCounts();

  constructor(
    readonly settings: ConnectionLimitsSettings,
    readonly counts: ConnectionCounts,
    private readonly nodeId: string,
  ) {}

  /** Permits that are held, from the upgrade request on. */
  get total(): number {
    return this.#total;
  }

  /** Open connections that have not been authenticated yet. */
  get unauthenticated(): number {
    return this.#unauthenticated.total;
  }

  /** Gives a client a permit, from its upgrade request to the end of its connection. */
  async acquire(ip: string): Promise<Checked<{ permit: ConnectionPermit }>> {
    const { maxConnections, maxConnectionsPerIp } = this.settings;
    if (maxConnections !== false && this.#total >= maxConnections) return rejected(FULL);
    this.#total++;
    const permit = new ConnectionPermit(newConnectionId(this.nodeId), ip, this);
    if (maxConnectionsPerIp === false || (await permit.acquire('ip', networkOf(ip), maxConnectionsPerIp))) {
      return { ok: true, permit };
    }
    permit.release();
    return rejected(IP_FULL);
  }

  /** @internal */
  released(): void {
    this.#total--;
  }

  /** @internal Counts one more connection that has to send `$auth`. */
  beginUnauthenticated(network: string): Checked {
    const { maxUnauthenticated: max, maxUnauthenticatedPerIp: maxPerIp } = this.settings;
    if (max !== false && this.#unauthenticated.total >= max) return rejected(UNAUTHENTICATED_FULL);
    if (maxPerIp !== false && this.#unauthenticated.of(network) >= maxPerIp) {
      return rejected(UNAUTHENTICATED_IP_FULL);
    }
    this.#unauthenticated.add(network);
    return PASSED;
  }

  /** @internal */
  endUnauthenticated(network: string): void {
    this.#unauthenticated.remove(network);
  }
}

/** Everything that one connection is counted in, released together. */
export class ConnectionPermit {
  #acquired: [CountKind, string][] | undefined;
  #isReleased = false;
  /** The network that an unauthenticated connection is counted by. */
  #network: string | undefined;

  constructor(
    readonly connectionId: string,
    private readonly ip: string,
    private readonly limits: ConnectionLimits,
  ) {}

  /** Counts the connection as unauthenticated, until `identify` or `release`. */
  awaitAuthentication(): Checked {
    const network = networkOf(this.ip);
    const counted = this.limits.beginUnauthenticated(network);
    if (counted.ok) this.#network = network;
    return counted;
  }

  /** Counts the connection among its user's, and no longer as unauthenticated. */
  async identify(userId: string | undefined): Promise<Checked> {
    this.#endUnauthenticated();
    const { maxConnectionsPerUser } = this.limits.settings;
    if (userId === undefined || maxConnectionsPerUser === false) return PASSED;
    return (await this.acquire('user', userId, maxConnectionsPerUser)) ? PASSED : rejected(USER_FULL);
  }

  /** @internal */
  async acquire(kind: CountKind, key: string, max: number): Promise<boolean> {
    const { counts } = this.limits;
    const isAcquired = counts.acquire(kind, key, this.connectionId, max);
    if (!(typeof isAcquired === 'boolean' ? isAcquired : await isAcquired)) return false;
    (this.#acquired ??= []).push([kind, key]);
    // The client may have disconnected while Redis was asked.
    if (this.#isReleased) this.#releaseCounts();
    return true;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.limits.released();
    this.#endUnauthenticated();
    this.#releaseCounts();
  }

  #endUnauthenticated(): void {
    if (this.#network === undefined) return;
    this.limits.endUnauthenticated(this.#network);
    this.#network = undefined;
  }

  #releaseCounts(): void {
    for (const [kind, key] of this.#acquired ?? []) this.limits.counts.release(kind, key, this.connectionId);
    this.#acquired = undefined;
  }
}
