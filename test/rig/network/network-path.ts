import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What happens to bytes: they are forwarded, dropped silently, or the connection is refused. */
type Weather = 'open' | 'black hole' | 'cut';

interface Pair {
  readonly page: Socket;
  readonly venue: Socket;
  /** Directions in which nothing is forwarded any more, as when a NAT router has dropped its entry for the connection. */
  isDeaf: boolean;
  isMute: boolean;
}

/** A TCP proxy between a page and its server, with the failure modes of a network. */
export class NetworkPath {
  #weather: Weather = 'open';
  readonly #pairs = new Set<Pair>();
  readonly #server: Server;

  private constructor(venuePort: string) {
    this.#server = createServer((page) => this.#accept(page, venuePort));
  }

  static async to(venuePort: string): Promise<NetworkPath> {
    const path = new NetworkPath(venuePort);
    path.#server.listen(0, 'localhost');
    await once(path.#server, 'listening');
    return path;
  }

  get url(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Stops forwarding in both directions without closing anything; new connections are accepted and ignored. */
  blackHole(): void {
    this.#weather = 'black hole';
    for (const pair of this.#pairs) pair.isDeaf = pair.isMute = true;
  }

  /** Forwards requests and drops every response. */
  loseAnswers(): void {
    for (const pair of this.#pairs) pair.isMute = true;
  }

  /** Resets the open connections and refuses new ones. */
  cut(): void {
    this.#weather = 'cut';
    for (const { page, venue } of this.#pairs) for (const end of [page, venue]) end.destroy();
  }

  /** Forwards new connections again; bytes that were dropped stay lost. */
  restore(): void {
    this.#weather = 'open';
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #accept(page: Socket, venuePort: string): void {
    page.on('error', () => page.destroy());
    if (this.#weather === 'cut') return void page.resetAndDestroy();
    const isLost = this.#weather === 'black hole';
    const venue = connect(Number(venuePort), 'localhost');
    const pair = { page, venue, isDeaf: isLost, isMute: isLost };
    this.#pairs.add(pair);
    venue.on('error', () => venue.destroy());
    page.on('data', (bytes) => pair.isDeaf || venue.write(bytes));
    venue.on('data', (bytes) => pair.isMute || page.write(bytes));
    page.on('close', () => pair.isDeaf || venue.destroy());
    venue.on('close', () => {
      this.#pairs.delete(pair);
      if (!pair.isMute) page.destroy();
    });
  }
}
