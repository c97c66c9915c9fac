/** Whatever nobody caught since; `stop` takes the listeners off again. */
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
