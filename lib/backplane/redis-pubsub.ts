/** The commands of one kind of Redis pub/sub. */
export interface PubSub {
  readonly publish: 'publish' | 'spublish';
  readonly subscribe: 'subscribe' | 'ssubscribe';
  readonly unsubscribe: 'unsubscribe' | 'sunsubscribe';
  readonly event: 'messageBuffer' | 'smessageBuffer';
}

export const CLASSIC_PUBSUB: PubSub = {
  publish: 'publish',
  subscribe: 'subscribe',
  unsubscribe: 'unsubscribe',
  event: 'messageBuffer',
};

/** Redis 7: a channel lives on the master of its slot; the classic kind would go to every node of a cluster. */
export const SHARDED_PUBSUB: PubSub = {
  publish: 'spublish',
  subscribe: 'ssubscribe',
  unsubscribe: 'sunsubscribe',
  event: 'smessageBuffer',
};
