/** A kind of recipient that has a channel of its own on the backplane. */
export type ChannelKind = 'user' | 'room' | 'node';

/** The backplane channel that every node subscribes to. */
export const ALL_CHANNEL = 'all';

/** The name of a backplane channel; the one place that builds it. */
export function channelName(kind: ChannelKind, key: string): string {
  return `${kind}:${key}`;
}
