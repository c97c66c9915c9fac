import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BackplaneError } from '../../lib/backplane/backplane-error.js';
import { PartitionQueue } from '../../lib/backplane/redis/cluster/partition-queue.js';

interface Sent {
  readonly message: string;
  readonly resolve: (receivers: number) => void;
  readonly reject: (error: Error) => void;
}

describe('PartitionQueue', () => {
  const moved = new Error('MOVED 1 127.0.0.1:7001');
  let sent: Sent[];
  let isReady: boolean;
  let lane: PartitionQueue;
  const refused = vi.fn<(error: Error) => void>();

  beforeEach(() => {
    vi.useFakeTimers();
    [sent, isReady] = [[], true];
    lane = new PartitionQueue({
      isReady: () => isReady,
      send: (_name, message) => new Promise((resolve, reject) => sent.push({ message, resolve, reject })),
      refused,
    });
  });
  afterEach(() => {
    lane.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    refused.mockClear();
  });

  const publish = (message: string) => lane.publish('name', message);
  const messages = () => sent.map(({ message }) => message);

  it('sends at once what its owner takes', async () => {
    const outcome = publish('1');
    sent[0]?.resolve(3);
    expect(await outcome).toBe(3);
  });

  it('keeps the order when some come back after others were published', async () => {
    const outcomes = ['1', '2', '3'].map(publish);
    sent[0]?.resolve(1);
    sent[1]?.reject(moved);
    await vi.advanceTimersByTimeAsync(0);
    outcomes.push(publish('4'));
    await vi.advanceTimersByTimeAsync(100);
    expect(messages()).toEqual(['1', '2', '3']);
    sent[2]?.reject(moved);
    await vi.advanceTimersByTimeAsync(100);
    expect(messages().slice(3)).toEqual(['2', '3', '4']);
    for (const { resolve } of sent.slice(3)) resolve(1);
    expect(await Promise.all(outcomes)).toEqual([1, 1, 1, 1]);
    expect(refused).toHaveBeenCalledWith(moved);
  });

  it('waits as long as it is paused', async () => {
    lane.pause(300);
    const outcome = publish('1');
    await vi.advanceTimersByTimeAsync(290);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    sent[0]?.resolve(0);
    expect(await outcome).toBe(0);
  });

  it('does not send a publication again that may have been delivered', async () => {
    const outcome = publish('1');
    const told = expect(outcome).rejects.toMatchObject({ message: 'The connection was lost.' });
    sent[0]?.reject(new Error('The connection was lost.'));
    await told;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(messages()).toEqual(['1']);
  });

  it('rejects after 3 s, and from then on at once, until its owner is back', async () => {
    isReady = false;
    const told = expect(publish('1')).rejects.toMatchObject({ reason: 'unavailable' });
    await vi.advanceTimersByTimeAsync(3_100);
    await told;
    await expect(publish('2')).rejects.toBeInstanceOf(BackplaneError);
    isReady = true;
    const outcome = publish('3');
    sent[0]?.resolve(1);
    expect(await outcome).toBe(1);
    expect(messages()).toEqual(['3']);
  });

  it('holds 1,000 and refuses more', async () => {
    isReady = false;
    const held = Array.from({ length: 1_000 }, (_, i) => publish(String(i)).catch(() => 'given up'));
    await expect(publish('more')).rejects.toMatchObject({ reason: 'overloaded' });
    lane.close();
    expect(new Set(await Promise.all(held))).toEqual(new Set(['given up']));
  });

  it('holds nothing once it is closed', async () => {
    const outcome = publish('1');
    const told = expect(outcome).rejects.toMatchObject({ message: moved.message });
    lane.close();
    sent[0]?.reject(moved);
    await told;
    expect(vi.getTimerCount()).toBe(0);
    const later = publish('2');
    expect(vi.getTimerCount()).toBe(0);
    await expect(later).rejects.toMatchObject({ reason: 'unavailable' });
  });
});
