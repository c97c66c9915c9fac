import { RedisScript } from '../client/redis-script.js';

/** The commands of one kind of Redis pub/sub. */
export interface PubSub {
  /** Publishes a packed batch, in order; sharded channels of one batch can be in several slots. */
  readonly publishAll: RedisScript | undefined;
  readonly publish: 'publish' | 'spublish';
  readonly subscribe: 'subscribe' | 'ssubscribe';
  readonly unsubscribe: 'unsubscribe' | 'sunsubscribe';
  readonly event: 'messageBuffer' | 'smessageBuffer';
}

const PUBLISH_ALL = new RedisScript(`
-- Publishes a batch, in order.
-- KEYS    none
-- ARGV[1] for each message the length of its channel's name in four bytes, the name, the length of the message, the
--         message: as one value, because each value of a command costs ioredis time
-- Result  for each message the number of subscribed connections, or its error
local packed, at, replies = ARGV[1], 1, {}
while at <= #packed do
  local channel, message
  channel, message, at = struct.unpack('>I4c0I4c0', packed, at)
  replies[#replies + 1] = redis.pcall('PUBLISH', channel, message)
end
return replies
`);

export const CLASSIC_PUBSUB: PubSub = {
  publishAll: PUBLISH_ALL,
  publish: 'publish',
  subscribe: 'subscribe',
  unsubscribe: 'unsubscribe',
  event: 'messageBuffer',
};

/** Redis 7: a message goes to the master of its channel's slot; classic pub/sub sends it to every node of a cluster. */
export const SHARDED_PUBSUB: PubSub = {
  publishAll: undefined,
  publish: 'spublish',
  subscribe: 'ssubscribe',
  unsubscribe: 'sunsubscribe',
  event: 'smessageBuffer',
};
