/** A promise that the test opens. */
export class Gate {
  #open: () => void = () => {};
  readonly opened = new Promise<void>((resolve) => (this.#open = resolve));

  open(): void {
    this.#open();
  }
}
