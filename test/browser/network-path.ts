import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What becomes of bytes: they pass, they vanish without a word, or there is nobody to take the connection. */
type Weather = 'open' | 'black hole' | 'cut';

interface Pair {
  readonly page: Socket;
  readonly venue: Socket;
  /** Which ways nothing goes any more, not even a goodbye; for good, as when a router has forgotten a connection. */
  isDeaf: boolean;
  isMute: boolean;
}

/** The network between a page and its venue, which can fail in the ways that networks do. */
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

  /** Stops forwarding both ways, without closing anything, and takes new connections only to swallow them. */
  blackHole(): void {
    this.#weather = 'black hole';
    for (const pair of this.#pairs) pair.isDeaf = pair.isMute = true;
  }

  /** Lets requests through and loses every answer. */
  loseAnswers(): void {
    for (const pair of this.#pairs) pair.isMute = true;
  }

  /** Resets what is there and refuses what comes. */
  cut(): void {
    this.#weather = 'cut';
    for (const { page, venue } of this.#pairs) for (const end of [page, venue]) end.destroy();
  }

  /** New connections pass; what was lost in a black hole stays lost. */
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
