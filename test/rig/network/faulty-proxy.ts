import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * What happens to the bytes of one direction: `drop` loses them for good, as a NAT router without an entry does; `hold`
 * forwards them when the fault ends, as TCP retransmission does.
 */
export type Traffic = 'pass' | 'drop' | 'hold';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Directions of this connection in which nothing is forwarded any more, whatever the proxy does later. */
  losesRequests: boolean;
  losesReplies: boolean;
}

const MAX_QUEUED = 8;

/** A TCP proxy on loopback with the failure modes of a network, for open connections and for new ones. */
export class FaultyProxy {
  requests: Traffic = 'pass';
  replies: Traffic = 'pass';
  delayMs = 0;
  /** 0 means unlimited. */
  replyBytesPerSecond = 0;
  /** Connections made so far. */
  opened = 0;
  #isRefusing = false;
  #isBlackHole = false;
  readonly #wake: (() => void)[] = [];
  readonly #pairs = new Set<Pair>();
  readonly #server: Server;

  constructor(
    private target: number,
    private readonly host = '127.0.0.1',
  ) {
    this.#server = createServer((client) => this.#accept(client));
  }

  async listen(): Promise<number> {
    this.#server.listen(0, this.host);
    await once(this.#server, 'listening');
    return this.port;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** New connections go to this port; those that are open stay where they are. */
  forwardTo(port: number): void {
    this.target = port;
    this.restore();
  }

  /** Ends every open connection with RST. */
  reset(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Ends every open connection with FIN. */
  disconnect(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  /** Resets what is open and what comes. */
  refuse(): void {
    this.#isRefusing = true;
    this.reset();
  }

  /** Nothing arrives any more in either direction, and no socket ends; new connections are accepted and ignored. */
  blackHole(): void {
    this.#isBlackHole = true;
    for (const pair of this.#pairs) pair.losesRequests = pair.losesReplies = true;
  }

  /** Drops every further reply on the connections that are open. */
  loseReplies(): void {
    for (const pair of this.#pairs) pair.losesReplies = true;
  }

  /** Ends the faults: new connections are forwarded, held bytes go on; bytes that were dropped stay lost. */
  restore(): void {
    this.#isRefusing = this.#isBlackHole = false;
    this.requests = this.replies = 'pass';
    this.delayMs = this.replyBytesPerSecond = 0;
    for (const wake of this.#wake.splice(0)) wake();
  }

  async close(): Promise<void> {
    this.restore();
    this.reset();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    this.opened++;
    client.setNoDelay().on('error', () => client.destroy());
    if (this.#isRefusing) return void client.resetAndDestroy();
    const server = connect(this.target, this.host);
    server.setNoDelay().on('error', () => server.destroy());
    const isLost = this.#isBlackHole;
    const pair: Pair = { client, server, losesRequests: isLost, losesReplies: isLost };
    this.#pairs.add(pair);
    this.#carry(pair, false);
    this.#carry(pair, true);
    client.on('close', () => pair.losesRequests || server.destroy());
    server.on('close', () => pair.losesReplies || client.destroy());
    const ended = () => client.destroyed && server.destroyed && this.#pairs.delete(pair);
    client.on('close', ended);
    server.on('close', ended);
  }

  #carry(pair: Pair, isReply: boolean): void {
    const [from, to] = isReply ? [pair.server, pair.client] : [pair.client, pair.server];
    let queued = 0;
    let freeAt = 0;
    let last: Promise<void> | undefined;
    from.on('data', (bytes: Buffer) => {
      if (isReply ? pair.losesReplies : pair.losesRequests) return;
      if (last === undefined && this.#passesAtOnce(isReply)) {
        to.write(bytes);
        return;
      }
      const now = performance.now();
      const rate = isReply ? this.replyBytesPerSecond : 0;
      freeAt = Math.max(freeAt, now) + (rate > 0 ? (bytes.length / rate) * 1_000 : 0);
      const dueAt = Math.max(freeAt, now + this.delayMs);
      if (++queued >= MAX_QUEUED) from.pause();
      // In order, even when the delay has just become shorter.
      const before = last ?? Promise.resolve();
      const carried: Promise<void> = before.then(async () => {
        await this.#due(dueAt, isReply, to);
        if ((isReply ? this.replies : this.requests) !== 'drop') to.write(bytes);
        if (--queued < MAX_QUEUED) from.resume();
        if (last === carried) last = undefined;
      });
      last = carried;
    });
  }

  #passesAtOnce(isReply: boolean): boolean {
    const traffic = isReply ? this.replies : this.requests;
    return traffic === 'pass' && this.delayMs === 0 && (!isReply || this.replyBytesPerSecond === 0);
  }

  async #due(dueAt: number, isReply: boolean, to: Socket): Promise<void> {
    while ((isReply ? this.replies : this.requests) === 'hold' && !to.destroyed) {
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        to.once('close', resolve);
      });
    }
    const waitMs = dueAt - performance.now();
    if (waitMs >= 1) await new Promise<void>((resolve) => setTimeout(resolve, waitMs));
  }
}
