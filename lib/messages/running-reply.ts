import { Observable, type Subscriber } from 'rxjs';

type Part = (to: Subscriber<unknown>) => void;

/** A reply in parts that interceptors have subscribed to already: what it says is held until someone listens. */
export class RunningReply {
  readonly parts: Observable<unknown>;
  /** Resolves when someone listens. */
  readonly listened: Promise<void>;
  readonly #held: Part[] = [];
  #listener: Subscriber<unknown> | undefined;

  constructor(readonly stop: () => void) {
    let noteListener!: () => void;
    this.listened = new Promise((resolve) => (noteListener = resolve));
    this.parts = new Observable((subscriber) => {
      this.#listener = subscriber;
      noteListener();
      for (const part of this.#held.splice(0)) part(subscriber);
      return stop;
    });
  }

  push(part: Part): void {
    if (this.#listener === undefined) this.#held.push(part);
    else part(this.#listener);
  }
}
