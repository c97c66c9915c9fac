/** A promise that the test resolves. */
export class Gate {
  #open: () => void = () => {};
  readonly opened = new Promise<void>((resolve) => (this.#open = resolve));

  open(): void {
    this.#open();
  }
}
