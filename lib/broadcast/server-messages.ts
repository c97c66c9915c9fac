import type { AnyContract, MessageEntry } from '../contract/contract.js';

const MAX_LISTED = 20;
const NO_PATHS: ReadonlySet<string> = new Set();

/** Every message the server may send, over all contracts, and the paths whose contract has it. */
export class ServerMessages {
  readonly #entries = new Map<string, MessageEntry>();
  readonly #paths = new Map<string, Set<string>>();
  readonly #allPaths = new Set<string>();

  /** Adds a gateway's contract; throws when two contracts give one type different deliveries. */
  register(path: string, contract: AnyContract): void {
    this.#allPaths.add(path);
    for (const [type, entry] of contract.serverMessages) {
      const known = this.#entries.get(type);
      if (known !== undefined && known.delivery !== entry.delivery) {
        throw new Error(
          `Expected one delivery for the server message "${type}", got "${known.delivery}" in one contract and ` +
            `"${entry.delivery}" in another: give them the same delivery or different names.`,
        );
      }
      this.#entries.set(type, entry);
      const paths = this.#paths.get(type) ?? new Set();
      this.#paths.set(type, paths.add(path));
    }
  }

  entryOf(type: string): MessageEntry | undefined {
    return this.#entries.get(type);
  }

  /** The entry of a message that the app sends; throws when no contract knows it. */
  require(type: string): MessageEntry {
    const entry = this.#entries.get(type);
    if (entry !== undefined) return entry;
    const known = [...this.#entries.keys()];
    const listed = known.slice(0, MAX_LISTED).join(', ') + (known.length > MAX_LISTED ? ', …' : '');
    throw new Error(
      `Expected a server message that a contract knows, got the type "${type}": declare it under "server" in the contract ` +
        'of a @RealtimeGateway or, in a process without gateways, in the contracts of RealtimeModule.forEmitter(). ' +
        `Known are: ${listed || 'none'}.`,
    );
  }

  /** The paths whose contract has the type; `undefined` when all have it. */
  pathsOf(type: string): ReadonlySet<string> | undefined {
    const paths = this.#paths.get(type) ?? NO_PATHS;
    return paths.size === this.#allPaths.size ? undefined : paths;
  }
}
