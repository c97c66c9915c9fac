import type { Redis } from 'ioredis';
import { timeoutError, unavailableError } from '../client/redis-error.js';
import type { RedisScript } from '../client/redis-script.js';
import type { PublishSettlement } from './publish-settlement.js';
import { RedisBatch, type PublishReply } from './redis-batch.js';
import type { PubSub } from './redis-pubsub.js';

/**
 * Publishes over one connection, all of a turn of the event loop as one command: a command costs ioredis more than it
 * costs Redis. With sharded pub/sub, or an ACL that forbids scripts, they are one pipeline. ioredis' own auto-pipelining
 * sends nothing more before the last pipeline has its replies, and a pipeline whose socket broke never gets them
 * (ioredis#2193). Here a lost connection ends what was on it, and one timer bounds a batch.
 */
export class RedisPublisher {
  readonly #inFlight = new Map<RedisBatch, NodeJS.Timeout>();
  #batch: RedisBatch | undefined;
  #isScheduled = false;
  #script: RedisScript | undefined;

  constructor(
    private readonly client: Redis,
    private readonly pubSub: PubSub,
    private readonly timeoutMs: number,
  ) {
    this.#script = pubSub.publishAll;
    client.on('close', () => {
      for (const batch of this.#inFlight.keys()) this.#reject(batch, new Error('The connection was lost.'));
    });
  }

  get isReady(): boolean {
    return this.client.status === 'ready';
  }

  /** Resolves with the settlement of the number of subscribed connections, or of Redis' error or a `BackplaneError`. */
  publish<T>(name: string, message: string, settlement: PublishSettlement<T>): Promise<T> {
    const batch = (this.#batch ??= new RedisBatch());
    const settled = batch.add(name, message, settlement);
    if (batch.isFull) this.#flush();
    this.#flushSoon();
    return settled;
  }

  #flushSoon(): void {
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
      batch.reject(unavailableError());
      return;
    }
    const deadline = setTimeout(() => this.#reject(batch, timeoutError(this.timeoutMs)), this.timeoutMs);
    this.#inFlight.set(batch, deadline.unref());
    // A script costs more than a single publication.
    if (this.#script === undefined || batch.size === 1) this.#pipeline(batch);
    else this.#run(this.#script, batch);
  }

  #run(script: RedisScript, batch: RedisBatch): void {
    const packed = batch.pack();
    script.run(this.client, [], [packed]).then(
      (replies) => this.#fulfil(batch, replies as PublishReply[]),
      (error: Error) => {
        if (!error.message.startsWith('NOPERM')) return this.#reject(batch, error);
        // Redis has run nothing: an ACL may allow PUBLISH and no scripts.
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
        this.#fulfil(
          batch,
          (results ?? []).map(([error, receivers]) => error ?? receivers),
        ),
      (error: Error) => this.#reject(batch, error),
    );
  }

  #fulfil(batch: RedisBatch, replies: readonly PublishReply[]): void {
    if (this.#end(batch)) batch.fulfil(replies);
  }

  #reject(batch: RedisBatch, error: Error): void {
    if (this.#end(batch)) batch.reject(error);
  }

  #end(batch: RedisBatch): boolean {
    clearTimeout(this.#inFlight.get(batch));
    return this.#inFlight.delete(batch);
  }
}
