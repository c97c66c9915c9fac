import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CLASSIC_PUBSUB } from '../../lib/backplane/redis/pubsub/redis-pubsub.js';
import {
  RedisSubscriber,
  type SubscribingClient,
} from '../../lib/backplane/redis/pubsub/redis-subscriber.js';

interface Command {
  readonly name: 'subscribe' | 'unsubscribe';
  readonly channels: readonly string[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A client whose answers a test gives. */
class FakeClient extends EventEmitter {
  status = 'wait';
  readonly commands: Command[] = [];

  subscribe(...channels: string[]): Promise<void> {
    return this.#ask('subscribe', channels);
  }

  unsubscribe(...channels: string[]): Promise<void> {
    return this.#ask('unsubscribe', channels);
  }

  becomes(status: 'ready' | 'close'): void {
    this.status = status;
    this.emit(status);
  }

  #ask(name: Command['name'], channels: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => this.commands.push({ name, channels, resolve, reject }));
  }
}

describe('RedisSubscriber', () => {
  let client: FakeClient;
  let subscriber: RedisSubscriber;
  const resubscribed = vi.fn<(channels: number) => void>();
  const interrupted = vi.fn<(names: readonly string[]) => void>();
  const failed = vi.fn<(error: Error) => void>();
  const partitionOf = (name: string | Buffer) => (String(name).startsWith('b') ? 1 : 0);

  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    });
    client = new FakeClient();
    const events = { message: () => {}, resubscribed, interrupted, failed };
    const it = client as unknown as SubscribingClient;
    subscriber = new RedisSubscriber(it, CLASSIC_PUBSUB, partitionOf, events);
  });
  afterEach(() => {
    subscriber.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    resubscribed.mockClear();
    interrupted.mockClear();
    failed.mockClear();
  });

  /** Answers everything asked until nothing more is. */
  async function answerAll(): Promise<Command[]> {
    const answered: Command[] = [];
    for (;;) {
      await nextTurn();
      const commands = client.commands.splice(0);
      if (commands.length === 0) return answered;
      for (const command of commands) command.resolve();
      answered.push(...commands);
    }
  }

  it('puts what is wanted in one turn into one command, apart for each partition', async () => {
    client.becomes('ready');
    const joins = ['a1', 'b1', 'a2', 'b2'].map((name) => subscriber.subscribe(name));
    const commands = await answerAll();
    await Promise.all(joins.map(async (join) => join));
    expect(commands.map(({ channels }) => channels)).toEqual([
      ['a1', 'a2'],
      ['b1', 'b2'],
    ]);
    expect(subscriber.isSubscribed('b2')).toBe(true);
    expect(subscriber.subscribe('a1')).toBeUndefined();
  });

  it('has at most 1,024 channels under way when everything is subscribed again', async () => {
    for (let i = 0; i < 5_000; i++) subscriber.subscribe(`a${i}`)?.catch(() => {});
    client.becomes('ready');
    await nextTurn();
    expect(client.commands.map(({ channels }) => channels.length)).toEqual([256, 256, 256, 256]);
    await answerAll();
    expect(resubscribed).toHaveBeenCalledExactlyOnceWith(5_000, expect.any(Number));
    client.becomes('close');
    expect(subscriber.confirmed).toBe(0);
    client.becomes('ready');
    const again = await answerAll();
    expect(new Set(again.flatMap(({ channels }) => channels)).size).toBe(5_000);
  });

  it('does not take a reply of a lost connection for one of the next', async () => {
    client.becomes('ready');
    const join = subscriber.subscribe('a1');
    await nextTurn();
    const [first] = client.commands.splice(0);
    client.becomes('close');
    client.becomes('ready');
    first?.resolve();
    await nextTurn();
    expect(subscriber.isSubscribed('a1')).toBe(false);
    await answerAll();
    await join;
    expect(subscriber.isSubscribed('a1')).toBe(true);
  });

  it('rejects a caller after 5 s with unavailable, and still wants the channel', async () => {
    const join = subscriber.subscribe('a1');
    const told = expect(join).rejects.toMatchObject({ reason: 'unavailable' });
    await vi.advanceTimersByTimeAsync(7_000);
    await told;
    client.becomes('ready');
    await answerAll();
    expect(subscriber.isSubscribed('a1')).toBe(true);
  });

  it('settles a join whose channel was left meanwhile', async () => {
    const join = subscriber.subscribe('a1');
    const settled = expect(join).resolves.toBeUndefined();
    subscriber.unsubscribe('a1');
    client.becomes('ready');
    await answerAll();
    await settled;
  });

  it('unsubscribes a channel 2 to 11 s after it is left, and not one that is wanted again', async () => {
    client.becomes('ready');
    const joins = ['a1', 'a2'].map((name) => subscriber.subscribe(name));
    await answerAll();
    await Promise.all(joins.map(async (join) => join));
    subscriber.unsubscribe('a1');
    subscriber.unsubscribe('a2');
    expect(subscriber.subscribe('a2')).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1_900);
    expect(client.commands).toEqual([]);
    await vi.advanceTimersByTimeAsync(9_200);
    expect(client.commands.map(({ name, channels }) => [name, channels])).toEqual([['unsubscribe', ['a1']]]);
    expect(subscriber.size).toBe(1);
    await answerAll();
  });

  it('gives up channels that only linger when the connection is new', async () => {
    client.becomes('ready');
    const join = subscriber.subscribe('a1');
    await answerAll();
    await join;
    subscriber.unsubscribe('a1');
    client.becomes('close');
    client.becomes('ready');
    expect(await answerAll()).toEqual([]);
    expect(subscriber.size).toBe(0);
  });

  it('retries a subscription that failed, and later one that was refused', async () => {
    client.becomes('ready');
    const join = subscriber.subscribe('a1');
    await nextTurn();
    client.commands.splice(0)[0]?.reject(new Error('LOADING Redis is loading'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(client.commands).toHaveLength(1);
    const told = expect(join).rejects.toMatchObject({ reason: 'refused' });
    client.commands.splice(0)[0]?.reject(new Error('NOPERM no channel permission'));
    await told;
    expect(failed).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(900);
    expect(client.commands).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_100);
    await answerAll();
    expect(subscriber.isSubscribed('a1')).toBe(true);
  });

  it('subscribes a channel that a caller waits for before the others that are subscribed again', async () => {
    for (let i = 0; i < 5_000; i++) subscriber.subscribe(`a${i}`)?.catch(() => {});
    client.becomes('ready');
    await answerAll();
    client.becomes('close');
    client.becomes('ready');
    const join = subscriber.subscribe('a4999');
    await nextTurn();
    const first = client.commands.splice(0);
    expect(first.flatMap(({ channels }) => channels)).not.toContain('a4999');
    first[0]?.resolve();
    await nextTurn();
    const [next] = client.commands.splice(0);
    expect(next?.channels[0]).toBe('a4999');
    next?.resolve();
    await join;
  });

  it('keeps no queue of channels that come and go while Redis is away', async () => {
    client.becomes('close');
    for (let i = 0; i < 5; i++) {
      subscriber.subscribe('a1')?.catch(() => {});
      subscriber.unsubscribe('a1');
      await nextTurn();
      await vi.advanceTimersByTimeAsync(20_000);
    }
    expect(subscriber.size).toBe(0);
    const kept = subscriber.subscribe('a2');
    await nextTurn();
    client.becomes('ready');
    expect((await answerAll()).flatMap(({ channels }) => channels)).toEqual(['a2']);
    await kept;
    client.becomes('close');
    subscriber.subscribe('a1')?.catch(() => {});
    await nextTurn();
    expect(subscriber.release(0)?.hasQueued).toBe(false);
  });

  it('releases a partition with the callers that wait for it', async () => {
    const target = new FakeClient();
    const other = new RedisSubscriber(target as unknown as SubscribingClient, CLASSIC_PUBSUB, partitionOf, {
      message: () => {},
      resubscribed,
      interrupted,
      failed,
    });
    client.becomes('ready');
    target.becomes('ready');
    const [kept, moved] = [subscriber.subscribe('a1'), subscriber.subscribe('b1')];
    await nextTurn();
    const channels = subscriber.release(1);
    if (channels !== undefined) other.adopt(1, channels);
    await answerAll();
    await kept;
    expect([subscriber.isSubscribed('b1'), other.isSubscribed('b1')]).toEqual([false, false]);
    await nextTurn();
    target.commands.splice(0)[0]?.resolve();
    await moved;
    expect([subscriber.size, other.confirmed]).toEqual([1, 1]);
    other.close();
  });
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
