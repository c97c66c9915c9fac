import { describe, expect, it } from 'vitest';
import { ChannelNames } from '../../lib/backplane/redis/channel-names.js';
import { RedisNames } from '../../lib/backplane/redis/client/redis-names.js';
import { slotOf } from '../../lib/backplane/redis/cluster/slot-map.js';

const names = new RedisNames('app');
const LONG = `room:${'long'.repeat(60)}`;

describe('RedisNames', () => {
  it.each(['user:1', 'room:{a}{b}', 'room:caf\u00e9 \u{1f37d}', LONG])(
    'builds the keys of %s in one slot, whatever their space',
    (channel) => {
      const keys = [
        names.channel(channel),
        names.key(channel, 'history', 'list', channel),
        names.key(channel, 'history', 'generation'),
        names.key(channel, 'presence', channel),
      ];
      expect(new Set(keys).size).toBe(keys.length);
      expect(new Set(keys.map(slotOf)).size).toBe(1);
    },
  );

  it('finds no channel in a name of another space', () => {
    expect(names.channelIn(names.channel('user:1'))).toBe('user:1');
    expect(names.channelIn(names.key('user:1', 'history', 'user:1'))).toBeUndefined();
    expect(names.channelIn(names.probes('node')[0])).toBeUndefined();
  });
});

describe('ChannelNames', () => {
  it('knows a long channel, whose name is hashed, until it is forgotten', () => {
    const channels = new ChannelNames(names);
    const name = channels.remember(LONG);
    expect(name.length).toBeLessThan(100);
    expect(name).toBe(channels.nameOf(LONG));
    expect(channels.channelOf(name)).toBe(LONG);
    channels.forget(LONG);
    expect(channels.channelOf(name)).toMatch(/^sha256:/);
  });
});
