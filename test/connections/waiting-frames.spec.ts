import { describe, expect, it } from 'vitest';
import { Frame } from '../../lib/connections/frame.js';
import { WaitingFrames } from '../../lib/connections/waiting-frames.js';

const frames = Array.from({ length: 8 }, (_, i) => new Frame(`${i}`));
const at = (i: number) => frames[i] as Frame;

/** A queue of the frames 0 to 7, of which the odd ones are volatile. */
function filled(): WaitingFrames {
  const waiting = new WaitingFrames();
  for (const [i, frame] of frames.entries()) waiting.push(frame, i % 2 === 1);
  return waiting;
}

const rest = (waiting: WaitingFrames) => {
  const order: number[] = [];
  for (let frame = waiting.shift(); frame !== undefined; frame = waiting.shift()) {
    order.push(frames.indexOf(frame));
  }
  return order;
};

describe('frames that wait', () => {
  it('come out in the order in which they came', () => {
    const waiting = filled();
    expect([waiting.bytes, waiting.volatileBytes]).toEqual([24, 12]);
    expect(rest(waiting)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect([waiting.bytes, waiting.volatileBytes, waiting.isEmpty]).toEqual([0, 0, true]);
  });

  it('lose the oldest volatile one first, and none of the others', () => {
    const waiting = filled();
    expect(waiting.dropOldest()).toBe(at(1));
    expect(waiting.dropOldest()).toBe(at(3));
    expect([waiting.bytes, waiting.volatileBytes]).toEqual([18, 6]);
    expect(rest(waiting)).toEqual([0, 2, 4, 5, 6, 7]);
    expect(waiting.dropOldest()).toBeUndefined();
  });

  it('count a volatile one that has come out no longer', () => {
    const waiting = filled();
    expect([waiting.shift(), waiting.shift()]).toEqual([at(0), at(1)]);
    expect(waiting.dropOldest()).toBe(at(3));
    expect(rest(waiting)).toEqual([2, 4, 5, 6, 7]);
  });

  it('may be the same frame twice', () => {
    const waiting = new WaitingFrames();
    waiting.push(at(0), true);
    waiting.push(at(0), true);
    expect([waiting.dropOldest(), waiting.shift(), waiting.shift()]).toEqual([at(0), at(0), undefined]);
    waiting.push(at(2), false);
    expect(rest(waiting)).toEqual([2]);
  });
});
