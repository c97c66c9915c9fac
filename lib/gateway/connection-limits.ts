import { newConnectionId } from '../connections/connection-id.js';
import type { ConnectionPlaces } from './connection-places.js';
import type { UpgradeRefusal } from './upgrade-refusal.js';

export interface ConnectionLimitsSettings {
  readonly nodeId: string;
  readonly maxConnections: number | false;
  readonly maxConnectionsPerIp: number | false;
  readonly maxConnectionsPerUser: number | false;
  readonly maxUnauthenticated: number | false;
}

const FULL: UpgradeRefusal = {
  reason: 'connections',
  status: 503,
  message: 'too many connections',
  retryAfter: 5,
};
const IP_FULL: UpgradeRefusal = { ...FULL, reason: 'connections_per_ip', status: 429 };
const USER_FULL: UpgradeRefusal = { ...FULL, reason: 'connections_per_user', status: 429 };
const TOO_MANY_STRANGERS: UpgradeRefusal = { ...FULL, reason: 'unauthenticated' };

/** How many connections there may be: all of this node, those of one IP and of one user, and those of nobody known. */
export class ConnectionLimits {
  #total = 0;

  constructor(
    readonly settings: ConnectionLimitsSettings,
    readonly places: ConnectionPlaces,
    private readonly unauthenticated: () => number,
  ) {}

  /** Gives a client a seat, from its upgrade request to its end; or says why there is none. */
  async enter(ip: string): Promise<Seat | UpgradeRefusal> {
    const { maxConnections, maxConnectionsPerIp, nodeId } = this.settings;
    if (maxConnections !== false && this.#total >= maxConnections) return FULL;
    this.#total++;
    const seat = new Seat(newConnectionId(nodeId), this);
    if (maxConnectionsPerIp === false || (await seat.take('ip', ip, maxConnectionsPerIp))) return seat;
    seat.leave();
    return IP_FULL;
  }

  /** @internal */
  left(): void {
    this.#total--;
  }

  /** Whether one more may come in that will say `$auth` once it is connected. */
  refusalOfUnauthenticated(): UpgradeRefusal | undefined {
    const { maxUnauthenticated } = this.settings;
    if (maxUnauthenticated === false || this.unauthenticated() < maxUnauthenticated) return undefined;
    return TOO_MANY_STRANGERS;
  }
}

/** All the places one client takes, given back together. */
export class Seat {
  #taken: ['ip' | 'user', string][] | undefined;
  #hasLeft = false;

  constructor(
    readonly connectionId: string,
    private readonly limits: ConnectionLimits,
  ) {}

  /** Takes a place among the user's connections, once it is known who this is; or says why there is none. */
  async identify(userId: string | undefined): Promise<UpgradeRefusal | undefined> {
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
    this.#giveBack();
  }

  #giveBack(): void {
    for (const [kind, key] of this.#taken ?? []) this.limits.places.giveBack(kind, key, this.connectionId);
    this.#taken = undefined;
  }
}
