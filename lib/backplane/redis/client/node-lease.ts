export interface LeaseSettings {
  /** What a node holds is released when the node has not renewed it for this long. */
  readonly leaseMs: number;
  /** How often the node renews it; well within a lease. */
  readonly refreshMs: number;
}

export const LEASE: LeaseSettings = { leaseMs: 30_000, refreshMs: 10_000 };

/** A part of a node that holds something in Redis for as long as the node lives. */
export interface LeaseHolder {
  /** Extends all it holds by `leaseMs` from now, and writes again what Redis has lost. */
  renew(leaseMs: number): Promise<void>;
  /** A renewal was rejected; the next one follows. */
  renewalFailed(error: Error): void;
}

/**
 * The lease of one node, whose holders share its clock: one timer renews everything the node holds in Redis, and so does
 * a new connection, after which Redis may have lost its data. What a dead node held is released after `leaseMs`.
 */
export class NodeLease {
  readonly #holders: LeaseHolder[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isRenewing = false;

  constructor(private readonly settings: LeaseSettings = LEASE) {}

  get leaseMs(): number {
    return this.settings.leaseMs;
  }

  /** Adds a holder; without any, nothing runs. */
  hold(holder: LeaseHolder): void {
    this.#holders.push(holder);
  }

  start(): void {
    if (this.#holders.length === 0) return;
    this.#timer ??= setInterval(() => this.renew(), this.settings.refreshMs).unref();
  }

  /** Renews now, unless a renewal is under way or the lease is stopped. */
  renew(): void {
    if (this.#isRenewing || this.#timer === undefined) return;
    this.#isRenewing = true;
    void this.#renewAll();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #renewAll(): Promise<void> {
    for (const holder of this.#holders) {
      await holder.renew(this.leaseMs).catch((error: Error) => holder.renewalFailed(error));
    }
    this.#isRenewing = false;
  }
}
