/** The commands of one kind of Redis pub/sub. */
export interface PubSub {
  /** A script that publishes a packed batch, in order; not there where channels have slots. */
  readonly publishAll: string | undefined;
  readonly publish: 'publish' | 'spublish';
  readonly subscribe: 'subscribe' | 'ssubscribe';
  readonly unsubscribe: 'unsubscribe' | 'sunsubscribe';
  readonly event: 'messageBuffer' | 'smessageBuffer';
}

// ARGV: the length of a channel's name in four bytes, the name, the length of a message, the message, and so on: as one
// value, since ioredis takes longer over two hundred. Result: for each message the number of subscribed connections, or
// the error of that one alone.
const PUBLISH_ALL = `local packed, at, answers = ARGV[1], 1, {}
while at <= #packed do
  local channel, message
  channel, message, at = struct.unpack('>I4c0I4c0', packed, at)
  answers[#answers + 1] = redis.pcall('PUBLISH', channel, message)
end
return answers`;

export const CLASSIC_PUBSUB: PubSub = {
  publishAll: PUBLISH_ALL,
  publish: 'publish',
  subscribe: 'subscribe',
  unsubscribe: 'unsubscribe',
  event: 'messageBuffer',
};

/** Redis 7: a channel lives on the master of its slot; the classic kind would go to every node of a cluster. */
export const SHARDED_PUBSUB: PubSub = {
  publishAll: undefined,
  publish: 'spublish',
  subscribe: 'ssubscribe',
  unsubscribe: 'sunsubscribe',
  event: 'smessageBuffer',
};
