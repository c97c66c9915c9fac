import { describe, expect, it } from 'vitest';
import { FlushScheduler } from '../../lib/connections/flush-scheduler.js';
import { Frame } from '../../lib/connections/frame.js';

const turn = () => new Promise(setImmediate);

describe('a FlushScheduler', () => {
  it('flushes everything that was added in a turn once, in order, at the end of the turn', async () => {
    const scheduler = new FlushScheduler();
    const flushed: string[] = [];
    for (const name of ['a', 'b', 'c']) scheduler.add({ flush: () => flushed.push(name) });
    expect(flushed).toEqual([]);
    await turn();
    expect(flushed).toEqual(['a', 'b', 'c']);
    await turn();
    expect(flushed).toHaveLength(3);
  });

  it('flushes what is added during a flush in the next turn', async () => {
    const scheduler = new FlushScheduler();
    const flushed: string[] = [];
    const again = { flush: () => void flushed.push('again') };
    scheduler.add({
      flush: () => {
        flushed.push('first');
        scheduler.add(again);
      },
    });
    await turn();
    await turn();
    expect(flushed).toEqual(['first', 'again']);
  });

  it('gives one batch to all sockets whose turn starts with the same frame', async () => {
    const scheduler = new FlushScheduler();
    const [frame, other] = [new Frame('a'), new Frame('b')];
    const batch = scheduler.begin(frame);
    expect(scheduler.begin(frame)).toBe(batch);
    expect(scheduler.begin(other)).not.toBe(batch);
  });

  it('keeps no batch beyond its turn', async () => {
    const scheduler = new FlushScheduler();
    const frame = new Frame('a');
    const batch = scheduler.begin(frame);
    scheduler.add({ flush: () => {} });
    await turn();
    expect(scheduler.begin(frame)).not.toBe(batch);
  });
});
