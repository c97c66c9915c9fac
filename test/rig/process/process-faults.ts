/** Collects uncaught exceptions and unhandled rejections; `stop` removes the listeners. */
export class ProcessFaults {
  readonly seen: unknown[] = [];
  readonly #note = (fault: unknown) => void this.seen.push(fault);

  constructor() {
    process.on('unhandledRejection', this.#note).on('uncaughtException', this.#note);
  }

  stop(): void {
    process.off('unhandledRejection', this.#note).off('uncaughtException', this.#note);
  }
}
