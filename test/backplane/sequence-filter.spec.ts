import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RedisCodec } from '../../lib/backplane/redis/redis-codec.js';
import { SequenceFilter } from '../../lib/backplane/redis/sequence-filter.js';
import { message } from '../../lib/testing/recording-node.js';

describe('SequenceFilter', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('drops a claimed number that its node does not go on from, within 2 s', () => {
    const order = new SequenceFilter();
    expect(order.isNext('a', 0, 10)).toBe(true);
    expect(order.isNext('a', 0, Number.MAX_SAFE_INTEGER)).toBe(true);
    let lost = 0;
    for (let sequence = 11; lost < 100 && !order.isNext('a', 0, sequence); sequence++) {
      lost++;
      vi.advanceTimersByTime(100);
    }
    expect(lost).toBe(20);
    expect(order.isNext('a', 0, 11 + lost)).toBe(false);
    expect(order.isNext('a', 0, 12 + lost)).toBe(true);
  });

  it('keeps its mark while late ones come again and again, or in a burst', () => {
    const order = new SequenceFilter();
    order.isNext('a', 0, 100);
    for (let i = 0; i < 100; i++) {
      vi.advanceTimersByTime(100);
      expect(order.isNext('a', 0, 50)).toBe(false);
    }
    for (let sequence = 51; sequence < 100; sequence++) {
      vi.advanceTimersByTime(40);
      expect(order.isNext('a', 0, sequence)).toBe(false);
    }
    expect(order.isNext('a', 0, 101)).toBe(true);
    vi.advanceTimersByTime(5_000);
    expect(order.isNext('a', 0, 99)).toBe(false);
  });

  it('lets each publication through once, and none after a later one of its origin and partition', () => {
    const order = new SequenceFilter();
    const told = [1, 2, 2, 5, 4, 6].map((sequence) => order.isNext('a', 0, sequence));
    expect(told).toEqual([true, true, false, true, false, true]);
  });

  it('does not compare partitions, nor origins', () => {
    const order = new SequenceFilter();
    expect(order.isNext('a', 0, 9)).toBe(true);
    expect(order.isNext('a', 1, 8)).toBe(true);
    expect(order.isNext('b', 0, 1)).toBe(true);
  });

  it('remembers 2,048 origins', () => {
    const order = new SequenceFilter();
    for (let i = 0; i < 2_049; i++) order.isNext(`node-${i}`, 0, 2);
    expect(order.isNext('node-2048', 0, 1)).toBe(false);
    expect(order.isNext('node-0', 0, 1)).toBe(true);
  });
});

describe('RedisCodec', () => {
  it('numbers the publications of a node, and recognises its own', () => {
    const [codec, other] = [new RedisCodec('node_a-1'), new RedisCodec('node_a')];
    const [first, second] = [codec.encode(message('x')), codec.encode(message('y'))].map((it) =>
      Buffer.from(it),
    );
    expect(other.decode(first as Buffer)).toMatchObject({ origin: 'node_a-1', sequence: 1 });
    expect(other.decode(second as Buffer)).toMatchObject({ sequence: 2 });
    expect([codec.isOwn(first as Buffer), other.isOwn(first as Buffer)]).toEqual([true, false]);
  });
});
