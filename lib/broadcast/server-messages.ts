import type { AnyContract, MessageEntry } from '../contract/contract.js';

/** Every message the server may say, over all contracts, and on which paths clients know it. */
export class ServerMessages {
  readonly #entries = new Map<string, MessageEntry>();
  readonly #paths = new Map<string, Set<string>>();
  readonly #allPaths = new Set<string>();

  /** Adds a gateway's contract; throws when two contracts disagree about one type. */
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

  isVolatile(type: string): boolean {
    return this.#entries.get(type)?.delivery === 'volatile';
  }

  /** The paths whose clients know the type; `undefined` when that is all of them. */
  pathsOf(type: string): ReadonlySet<string> | undefined {
    const paths = this.#paths.get(type);
    return paths === undefined || paths.size === this.#allPaths.size ? undefined : paths;
  }
}
