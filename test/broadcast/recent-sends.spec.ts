import { expect, it } from 'vitest';
import { RecentSends } from '../../lib/broadcast/recent-sends.js';

it('keeps at most 10,000 rooms, and forgets the oldest sends first', () => {
  const sends = new RecentSends();
  for (let i = 0; i < 10_010; i++) sends.add(`send ${Math.floor(i / 10)}`, `room ${i}`);
  expect(sends.size).toBe(10_000);
  expect(sends.roomsOf('send 0').size).toBe(0);
  expect([...sends.roomsOf('send 1')]).toEqual(Array.from({ length: 10 }, (_, i) => `room ${i + 10}`));
});

it('keeps a room that comes twice once', () => {
  const sends = new RecentSends();
  sends.add('send', 'room');
  sends.add('send', 'room');
  expect([...sends.roomsOf('send')]).toEqual(['room']);
  expect(sends.size).toBe(1);
});
