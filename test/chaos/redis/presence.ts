/** Whether a connection is a member, and since when, so that the oracle can tell settled members from changing ones. */
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

  /** When it last began or finished changing. */
  get since(): number {
    return this.#since;
  }

  become(state: 'in' | 'out' | 'changing'): void {
    this.#state = state;
    this.#since = performance.now();
  }

  /** The state it has had continuously from that time until now. */
  sinceThen(from: number): 'in' | 'out' | 'unsettled' {
    return this.#state === 'changing' || this.#since >= from ? 'unsettled' : this.#state;
  }
}
