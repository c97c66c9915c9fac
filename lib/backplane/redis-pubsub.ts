/** The commands of one kind of Redis pub/sub. */
export interface PubSub {
  /** Publishes pairs of a channel and a message, in order, as one command; not there where channels have slots. */
  readonly publishAll: string | undefined;
  readonly publish: 'publish' | 'spublish';
  readonly subscribe: 'subscribe' | 'ssubscribe';
  readonly unsubscribe: 'unsubscribe' | 'sunsubscribe';
  readonly event: 'messageBuffer' | 'smessageBuffer';
}

// One answer for each pair: the number of subscribed connections, or the error of that pair alone.
const PUBLISH_ALL = `local answers = {}
for i = 1, #ARGV, 2 do answers[#answers + 1] = redis.pcall('PUBLISH', ARGV[i], ARGV[i + 1]) end
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
