import { describe, expect, it } from 'vitest';
import { isLaterPosition } from '../../lib/protocol/channel.js';

describe('isLaterPosition', () => {
  it.each([
    ['e1:8:x', 'e1:7:y', true],
    ['e1:10:x', 'e1:9:y', true],
    ['e1:7:x', 'e1:7:x', false],
    ['e1:9:x', 'e1:10:y', false],
    ['e1:0:', 'e1:0:', false],
  ])('compares the offsets of one epoch: %s, %s', (position, than, isLater) => {
    expect(isLaterPosition(position, than)).toBe(isLater);
  });

  it.each([
    ['e2:1:x', 'e1:7:y'],
    ['e1', 'e1:7:y'],
    ['e1:x:y', 'e1:7:y'],
    ['e1:7:x', 'e1'],
    ['', 'e1:7:y'],
  ])('counts positions that cannot be compared as later: %j, %j', (position, than) => {
    expect(isLaterPosition(position, than)).toBe(true);
  });
});
