import type { UpgradeRefusal } from './upgrade-refusal.js';

export interface ConnectionLimitsSettings {
  readonly maxConnections: number | false;
  readonly maxConnectionsPerIp: number | false;
  readonly maxConnectionsPerUser: number | false;
  readonly maxUnauthenticated: number | false;
}

/** Who is connected already. */
export interface Census {
  readonly ofUser: (userId: string) => number;
  readonly unauthenticated: () => number;
}

/** How many connections there are of each kind, counted from the upgrade request to the close. */
export class ConnectionLimits {
  readonly #byIp = new Map<string, number>();
  #total = 0;

  constructor(
    private readonly settings: ConnectionLimitsSettings,
    private readonly census: Census,
  ) {}

  /** Takes a place for a client, to be given back by `leave`; or says why there is none. */
  enter(ip: string): UpgradeRefusal | undefined {
    const { maxConnections, maxConnectionsPerIp } = this.settings;
    if (maxConnections !== false && this.#total >= maxConnections) {
      return { reason: 'connections', status: 503, message: 'too many connections', retryAfter: 5 };
    }
    const ofIp = this.#byIp.get(ip) ?? 0;
    if (maxConnectionsPerIp !== false && ofIp >= maxConnectionsPerIp) {
      return { reason: 'connections_per_ip', status: 429, message: 'too many connections', retryAfter: 5 };
    }
    this.#total++;
    this.#byIp.set(ip, ofIp + 1);
    return undefined;
  }

  leave(ip: string): void {
    this.#total--;
    const ofIp = this.#byIp.get(ip) ?? 0;
    if (ofIp > 1) this.#byIp.set(ip, ofIp - 1);
    else this.#byIp.delete(ip);
  }

  /** Whether a user who is known by now may have one more. */
  refusalOfUser(userId: string | undefined): UpgradeRefusal | undefined {
    const { maxConnectionsPerUser } = this.settings;
    if (userId === undefined || maxConnectionsPerUser === false) return undefined;
    if (this.census.ofUser(userId) < maxConnectionsPerUser) return undefined;
    return { reason: 'connections_per_user', status: 429, message: 'too many connections', retryAfter: 5 };
  }

  /** Whether one more may come in that will say `$auth` once it is connected. */
  refusalOfUnauthenticated(): UpgradeRefusal | undefined {
    const { maxUnauthenticated } = this.settings;
    if (maxUnauthenticated === false || this.census.unauthenticated() < maxUnauthenticated) return undefined;
    return { reason: 'unauthenticated', status: 503, message: 'too many connections', retryAfter: 5 };
  }
}
