import type { Redis } from 'ioredis';
import { RedisBatch, type Answer } from './redis-batch.js';
import { isAway, notAnswered } from '../client/redis-error.js';
import type { PubSub } from './redis-pubsub.js';

/** What is made of a publication's outcome. No promise of its own: thousands of them wait at a time. */
export interface PublishSettlement<T> {
  fulfilled(receivers: number): T;
  failed(error: Error): T;
}

/** The number of subscribed connections, or the error as it is. */
export const PLAIN_SETTLEMENT: PublishSettlement<number> = {
  fulfilled: (receivers) => receivers,
  failed: (error) => {
    throw error;
  },
};

/**
 * Publishes over one connection, all of a turn of the event loop as one command: ioredis takes longer over a command
 * than Redis does. Where that cannot be, or the ACL forbids scripts, they are one pipeline. ioredis' own auto-pipelining sends
 * nothing more before the last pipeline is answered, and one whose socket died is never answered (ioredis#2193): each
 * reconnect would cost everyone its command timeout. Here a lost socket ends what was on it, and one timer bounds a batch.
 */
export class RedisPublisher {
  readonly #inFlight = new Map<RedisBatch, NodeJS.Timeout>();
  #batch: RedisBatch | undefined;
  #isScheduled = false;
  #script: string | undefined;

  constructor(
    private readonly client: Redis,
    private readonly pubSub: PubSub,
    private readonly timeoutMs: number,
  ) {
    this.#script = pubSub.publishAll;
    client.on('close', () => {
      for (const batch of this.#inFlight.keys()) this.#fail(batch, new Error('The connection was lost.'));
    });
  }

  get isReady(): boolean {
    return this.client.status === 'ready';
  }

  /** Resolves with what is made of the number of subscribed connections, or of what Redis said or a `BackplaneError`. */
  publish<T>(name: string, message: string, settlement: PublishSettlement<T>): Promise<T> {
    const batch = (this.#batch ??= new RedisBatch());
    const index = batch.add(name, message);
    if (batch.isFull) this.#flush();
    this.#schedule();
    return batch.answers.then(
      (answers) => {
        const answer = answers[index] ?? new Error('The connection was lost.');
        return answer instanceof Error
          ? settlement.failed(plainly(answer))
          : settlement.fulfilled(Number(answer));
      },
      (error: Error) => settlement.failed(error),
    );
  }

  /** A turn's publications, whichever sockets caused them, are one write. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#batch = undefined;
    if (!this.isReady) {
      batch.reject(isAway());
      return;
    }
    const deadline = setTimeout(() => this.#fail(batch, notAnswered(this.timeoutMs)), this.timeoutMs);
    this.#inFlight.set(batch, deadline.unref());
    // A lone one is no cheaper as a script.
    if (this.#script === undefined || batch.size === 1) this.#pipeline(batch);
    else this.#run(this.#script, batch);
  }

  #run(script: string, batch: RedisBatch): void {
    const packed = batch.pack();
    this.client.eval(script, 0, packed).then(
      (answers) => this.#settle(batch, answers as Answer[]),
      (error: Error) => {
        if (!error.message.startsWith('NOPERM')) return this.#fail(batch, error);
        // Nothing of it was run: an ACL may allow PUBLISH and no scripts.
        this.#script = undefined;
        batch.unpack(packed);
        this.#pipeline(batch);
      },
    );
  }

  #pipeline(batch: RedisBatch): void {
    const pipeline = this.client.pipeline();
    const { pairs } = batch;
    for (let i = 0; i < pairs.length; i += 2) {
      pipeline[this.pubSub.publish](pairs[i] as string, pairs[i + 1] as string);
    }
    pipeline.exec().then(
      (results) =>
        this.#settle(
          batch,
          (results ?? []).map(([error, receivers]) => error ?? receivers),
        ),
      (error: Error) => this.#fail(batch, error),
    );
  }

  #settle(batch: RedisBatch, answers: readonly Answer[]): void {
    if (this.#end(batch)) batch.resolve(answers);
  }

  #fail(batch: RedisBatch, error: Error): void {
    if (this.#end(batch)) batch.reject(error);
  }

  #end(batch: RedisBatch): boolean {
    clearTimeout(this.#inFlight.get(batch));
    return this.#inFlight.delete(batch);
  }
}

/** Redis words the refusal of a channel otherwise when a script asks. */
function plainly(error: Error): Error {
  if (!/ACL failure in script|user executing the script can't/.test(error.message)) return error;
  return new Error(`NOPERM ${error.message}`, { cause: error });
}
