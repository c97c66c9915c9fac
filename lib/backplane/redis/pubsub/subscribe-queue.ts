/**
 * Channels to subscribe, in order. Those that a caller waits for go first: a join must not wait behind 100,000 channels
 * that are subscribed again.
 */
export class SubscribeQueue {
  readonly #urgent = new NameQueue();
  readonly #others = new NameQueue();

  get isEmpty(): boolean {
    return this.#urgent.isEmpty && this.#others.isEmpty;
  }

  push(name: string): void {
    this.#others.push(name);
  }

  pushUrgent(name: string): void {
    this.#urgent.push(name);
  }

  shift(): string | undefined {
    return this.#urgent.shift() ?? this.#others.shift();
  }

  clear(): void {
    this.#urgent.clear();
    this.#others.clear();
  }
}

/** First in, first out; an array's own `shift` would move the rest each time. */
class NameQueue {
  #names: string[] = [];
  #head = 0;

  get isEmpty(): boolean {
    return this.#head === this.#names.length;
  }

  push(name: string): void {
    this.#names.push(name);
  }

  shift(): string | undefined {
    if (this.isEmpty) return undefined;
    const name = this.#names[this.#head++];
    if (this.isEmpty) this.clear();
    return name;
  }

  clear(): void {
    this.#names = [];
    this.#head = 0;
  }
}
