import { Observable, type Subscriber } from 'rxjs';

type Part = (to: Subscriber<unknown>) => void;

/** A streamed reply to which interceptors have subscribed already: its values are held until the reply is subscribed to. */
export class RunningReply {
  readonly parts: Observable<unknown>;
  /** Resolves when `parts` is subscribed to. */
  readonly subscribed: Promise<void>;
  readonly #held: Part[] = [];
  #subscriber: Subscriber<unknown> | undefined;

  constructor(readonly stop: () => void) {
    let noteSubscriber!: () => void;
    this.subscribed = new Promise((resolve) => (noteSubscriber = resolve));
    this.parts = new Observable((subscriber) => {
      this.#subscriber = subscriber;
      noteSubscriber();
      for (const part of this.#held.splice(0)) part(subscriber);
      return stop;
    });
  }

  push(part: Part): void {
    if (this.#subscriber === undefined) this.#held.push(part);
    else part(this.#subscriber);
  }
}
