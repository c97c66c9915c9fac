/** What a watch looks at. */
export interface WatchedCluster {
  /** Reads the topology from one node, another for each attempt. */
  look(attempt: number): Promise<void>;
  /** Whether all owners are known and healthy, so that the next look can wait. */
  isSettled(): boolean;
}

const FIRST_RETRY_MS = 20;
const MAX_RETRY_MS = 200;
const MAX_QUICK_LOOKS = 40;
const SLOW_RETRY_MS = 1_000;
const POLL_MS = 15_000;

/** Reads a cluster's topology every 15 to 30 seconds, and at short intervals while it is not settled. */
export class TopologyWatch {
  #attempt = 0;
  #quickLooks = 0;
  #isLooking = false;
  #mustLookAgain = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly cluster: WatchedCluster) {}

  /** Something has changed: looks now. */
  lookNow(): void {
    this.#quickLooks = 0;
    if (this.#isLooking) this.#mustLookAgain = true;
    else void this.look();
  }

  async look(): Promise<void> {
    if (this.#isStopped || this.#isLooking) return;
    clearTimeout(this.#timer);
    this.#isLooking = true;
    this.#mustLookAgain = false;
    // A failure leaves the cluster unsettled, or has changed nothing.
    await this.cluster.look(this.#attempt++).catch(() => {});
    this.#isLooking = false;
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => void this.look(), this.#delayMs());
    this.#timer.unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #delayMs(): number {
    if (this.#mustLookAgain) return FIRST_RETRY_MS;
    if (this.cluster.isSettled()) {
      this.#quickLooks = 0;
      return POLL_MS + Math.random() * POLL_MS;
    }
    const looks = this.#quickLooks++;
    return looks < MAX_QUICK_LOOKS ? Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** looks) : SLOW_RETRY_MS;
  }
}
