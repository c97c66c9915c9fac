/** Whether a connection is in something, and since when: what the oracle may judge, and what was just changing. */
export class Presence {
  #state: 'in' | 'out' | 'changing';
  #since = performance.now();

  constructor(state: 'in' | 'out' | 'changing' = 'out') {
    this.#state = state;
  }

  get isIn(): boolean {
    return this.#state === 'in';
  }

  get isChanging(): boolean {
    return this.#state === 'changing';
  }

  /** When it last began to change, or had changed. */
  get since(): number {
    return this.#since;
  }

  become(state: 'in' | 'out' | 'changing'): void {
    this.#state = state;
    this.#since = performance.now();
  }

  /** What it has been, without a break, from that time until now. */
  sinceThen(from: number): 'in' | 'out' | 'unsettled' {
    return this.#state === 'changing' || this.#since >= from ? 'unsettled' : this.#state;
  }
}
