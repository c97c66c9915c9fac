import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { OtherSockets } from './drain/other-sockets.js';
import { rejectUpgrade } from './admission/upgrade-rejection.js';

/** Serves the upgrades of some paths. */
export interface UpgradeHandler {
  /** Takes over an upgrade; false for a path that it does not serve. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

/** Called for a request to a path that no listener serves. */
export type NotFound = (request: IncomingMessage) => void;

const NOT_FOUND = { status: 404, message: 'no gateway on this path' } as const;

// How long another upgrade listener may take for a path that is not ours.
const OTHERS_DECIDE_MS = 5_000;

/**
 * The upgrades of one HTTP server. Our handlers run before every other listener, since `ws` replies 400 to each path it
 * does not know; all other paths are left to the other listeners. A path that no listener serves gets 404.
 */
export class UpgradeListener {
  /** Sockets that were left to other listeners. */
  readonly others = new OtherSockets();
  readonly #waiting = new Set<NodeJS.Timeout>();
  readonly #emit: Server['emit'];
  readonly #hadOwnEmit: boolean;
  #attached = false;

  constructor(
    private readonly server: Server,
    private readonly handlers: readonly UpgradeHandler[],
    private readonly onNotFound: NotFound,
  ) {
    this.#emit = server.emit;
    this.#hadOwnEmit = Object.hasOwn(server, 'emit');
  }

  attach(): void {
    this.#attached = true;
    this.server.emit = this.#intercept;
    // Node emits `upgrade` only while there is a listener.
    this.server.on('upgrade', this.#onUnclaimed);
  }

  detach(): void {
    this.#attached = false;
    this.server.off('upgrade', this.#onUnclaimed);
    // Code that wrapped `emit` after us still calls ours, which then only passes the event on.
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
      if (this.handlers.some((handler) => handler.accept(request, socket, head))) return true;
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
