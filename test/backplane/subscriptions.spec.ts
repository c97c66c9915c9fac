import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Backplane, PublishOutcome } from '../../lib/backplane/backplane.js';
import { BackplaneError } from '../../lib/backplane/backplane-error.js';
import { Subscriptions } from '../../lib/backplane/subscriptions.js';

interface Question {
  readonly channel: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A backplane whose answers a test gives. */
class SlowBackplane implements Backplane {
  readonly questions: Question[] = [];
  readonly left: string[] = [];

  async start(): Promise<void> {}

  subscribe(channel: string): Promise<void> {
    return new Promise((resolve, reject) => this.questions.push({ channel, resolve, reject }));
  }

  unsubscribe(channel: string): void {
    this.left.push(channel);
  }

  async publish(): Promise<PublishOutcome> {
    return { nodes: 0 };
  }

  async stop(): Promise<void> {}

  /** The questions that have no answer yet. */
  take(): Question[] {
    return this.questions.splice(0);
  }
}

const unavailable = () => new BackplaneError('unavailable', 'away');

describe('Subscriptions', () => {
  let backplane: SlowBackplane;
  let subscriptions: Subscriptions;

  beforeEach(() => {
    vi.useFakeTimers();
    backplane = new SlowBackplane();
    subscriptions = new Subscriptions(backplane, ['all', 'node:a']);
    subscriptions.stateChanged('up');
  });
  afterEach(() => {
    subscriptions.stop();
    for (const { reject } of backplane.take()) reject(unavailable());
    vi.useRealTimers();
  });

  it('resolves a join when the backplane has confirmed it', async () => {
    let isDone = false;
    const join = subscriptions.ready('room:1')?.then(() => (isDone = true));
    await vi.advanceTimersByTimeAsync(900);
    expect(isDone).toBe(false);
    expect(subscriptions.isPending('room:1')).toBe(true);
    backplane.take()[0]?.resolve();
    await join;
    expect(subscriptions.pending).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets a join go on after a second, and the next ones at once until something is confirmed', async () => {
    const join = subscriptions.ready('room:1');
    await vi.advanceTimersByTimeAsync(1_000);
    await join;
    expect(subscriptions.ready('room:2')).toBeUndefined();
    expect(subscriptions.pending).toBe(2);
    for (const { resolve } of backplane.take()) resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(subscriptions.pending).toBe(0);
    expect(subscriptions.ready('room:3')).toBeInstanceOf(Promise);
  });

  it('resolves joins at once while the backplane is down', () => {
    subscriptions.stateChanged('down');
    expect(subscriptions.ready('user:ann')).toBeUndefined();
    expect(subscriptions.isPending('user:ann')).toBe(true);
  });

  it('subscribes again, when the backplane is back, to channels that were not confirmed', async () => {
    subscriptions.stateChanged('down');
    void subscriptions.ready('room:1');
    void subscriptions.ready('room:2');
    const [first] = backplane.take();
    first?.reject(unavailable());
    await vi.advanceTimersByTimeAsync(60_000);
    expect(backplane.questions).toEqual([]);
    subscriptions.stateChanged('up');
    expect(backplane.questions.map(({ channel }) => channel)).toEqual(['room:1']);
    backplane.take()[0]?.resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(subscriptions.isPending('room:1')).toBe(false);
    expect(subscriptions.isPending('room:2')).toBe(true);
  });

  it('subscribes again once a second to a channel that fails while the backplane is up', async () => {
    const join = subscriptions.ready('room:1');
    for (let i = 0; i < 3; i++) {
      const asked = backplane.take();
      expect(asked).toHaveLength(1);
      asked[0]?.reject(unavailable());
      await vi.advanceTimersByTimeAsync(1_000);
    }
    await join;
    expect(backplane.questions).toHaveLength(1);
  });

  it('does not subscribe again to a room that was left', async () => {
    subscriptions.stateChanged('down');
    void subscriptions.ready('room:1');
    backplane.take()[0]?.reject(unavailable());
    subscriptions.release('room:1');
    await vi.advanceTimersByTimeAsync(0);
    subscriptions.stateChanged('up');
    expect(backplane.questions).toEqual([]);
    expect(backplane.left).toEqual(['room:1']);
    expect(subscriptions.pending).toBe(0);
  });

  it('rejects a join that the backplane refuses', async () => {
    const join = expect(subscriptions.ready('room:1')).rejects.toMatchObject({ reason: 'refused' });
    backplane.take()[0]?.reject(new BackplaneError('refused', 'check its ACL'));
    await join;
  });

  it('starts after a second when its own channels are not confirmed, and fails when they are refused', async () => {
    subscriptions.stateChanged('down');
    const started = subscriptions.start();
    expect(backplane.take().map(({ channel }) => channel)).toEqual(['all', 'node:a']);
    await vi.advanceTimersByTimeAsync(1_000);
    await started;
    expect(subscriptions.pending).toBe(2);

    const refused = expect(subscriptions.start()).rejects.toMatchObject({ reason: 'refused' });
    for (const { reject } of backplane.take()) reject(new BackplaneError('refused', 'check its ACL'));
    await refused;
  });
});
