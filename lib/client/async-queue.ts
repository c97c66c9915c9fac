import { RequestError } from './request-error.js';

interface Reader<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/** Pushed values, read with `for await`. Unread ones wait, up to a limit. */
export class AsyncQueue<T> implements AsyncIterableIterator<T, undefined> {
  readonly #values: T[] = [];
  readonly #readers: Reader<T>[] = [];
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;

  /** `onStop` is called once: after a `break`, or when too many values wait. */
  constructor(
    private readonly maxBuffered: number,
    private readonly onStop: () => void,
  ) {}

  push(value: T): void {
    if (this.#isEnded) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) reader.resolve({ done: false, value });
    else if (this.#values.length < this.maxBuffered) this.#values.push(value);
    else {
      this.end({
        error: new RequestError('OVERFLOW', `More than ${this.maxBuffered} values waited to be read.`),
      });
      this.onStop();
    }
  }

  /** Ends the values; a failure is thrown after those that wait have been read. */
  end(failure?: { readonly error: unknown }): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#failure = failure;
    for (const reader of this.#readers.splice(0)) this.#finish(reader);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#values.length > 0) resolve({ done: false, value: this.#values.shift() as T });
      else if (this.#isEnded) this.#finish({ resolve, reject });
      else this.#readers.push({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#values.length = 0;
    if (!this.#isEnded) {
      this.end();
      this.onStop();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish({ resolve, reject }: Reader<T>): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure === undefined) resolve({ done: true, value: undefined });
    else reject(failure.error);
  }
}
