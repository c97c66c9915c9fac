import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { OtherSockets } from './drain/other-sockets.js';
import { rejectUpgrade } from './admission/upgrade-rejection.js';

/** Takes over an upgrade. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Says who takes a request, or `undefined` when nobody here does. */
export type UpgradeClaim = (request: IncomingMessage) => UpgradeHandler | undefined;

/** Told of a request to a path that no listener takes. */
export type NotFound = (request: IncomingMessage) => void;

const NOT_FOUND = { status: 404, message: 'no gateway on this path' } as const;

// How long another upgrade listener may think about a path that is not ours.
const OTHERS_DECIDE_MS = 5_000;

/**
 * The upgrades of one HTTP server. Ours are taken before any other listener sees them, since `ws` answers 400 to
 * every path it does not know and so would end them; all the rest is left to the other listeners. A path that nobody
 * answers gets a 404.
 */
export class UpgradeListener {
  /** What the other listeners were left. */
  readonly others = new OtherSockets();
  readonly #waiting = new Set<NodeJS.Timeout>();
  readonly #emit: Server['emit'];
  readonly #hadOwnEmit: boolean;
  #attached = false;

  constructor(
    private readonly server: Server,
    private readonly claim: UpgradeClaim,
    private readonly onNotFound: NotFound,
  ) {
    this.#emit = server.emit;
    this.#hadOwnEmit = Object.hasOwn(server, 'emit');
  }

  attach(): void {
    this.#attached = true;
    this.server.emit = this.#intercept;
    // Node emits `upgrade` only while someone listens.
    this.server.on('upgrade', this.#onUnclaimed);
  }

  detach(): void {
    this.#attached = false;
    this.server.off('upgrade', this.#onUnclaimed);
    // Whoever wrapped `emit` after us still calls ours, which then only passes on.
    if (this.server.emit === this.#intercept) {
      if (this.#hadOwnEmit) this.server.emit = this.#emit;
      else Reflect.deleteProperty(this.server, 'emit');
    }
    for (const timer of this.#waiting) clearTimeout(timer);
    this.#waiting.clear();
  }

  readonly #intercept = ((event: string | symbol, ...args: unknown[]): boolean => {
    if (event === 'upgrade' && this.#attached) {
      const [request, socket, head] = args as [IncomingMessage, Duplex, Buffer];
      const handler = this.claim(request);
      if (handler !== undefined) {
        handler(request, socket, head);
        return true;
      }
    }
    return Reflect.apply(this.#emit, this.server, [event, ...args]) as boolean;
  }) as Server['emit'];

  readonly #onUnclaimed = (request: IncomingMessage, socket: Duplex): void => {
    if (this.server.listenerCount('upgrade') === 1) {
      socket.on('error', () => socket.destroy());
      this.#refuse(request, socket);
      return;
    }
    this.others.add(socket);
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      const { bytesWritten = 0 } = socket as { bytesWritten?: number };
      if (!socket.destroyed && bytesWritten === 0) this.#refuse(request, socket);
    }, OTHERS_DECIDE_MS);
    timer.unref();
    this.#waiting.add(timer);
    const forget = () => {
      clearTimeout(timer);
      this.#waiting.delete(timer);
    };
    socket.once('close', forget);
  };

  #refuse(request: IncomingMessage, socket: Duplex): void {
    this.onNotFound(request);
    rejectUpgrade(socket, NOT_FOUND);
  }
}
