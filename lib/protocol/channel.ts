/** A kind of recipient that has a channel of its own on the backplane. */
export type ChannelKind = 'user' | 'room' | 'node';

/** The backplane channel that every node subscribes to. */
export const ALL_CHANNEL = 'all';

/** The name of a backplane channel; the one place that builds it. */
export function channelName(kind: ChannelKind, key: string): string {
  return `${kind}:${key}`;
}

/**
 * Whether a position comes after another one of the same channel. Positions are `epoch:offset:tag`; those of different
 * epochs cannot be compared, and a position that cannot be compared counts as later, since dropping its message would lose it.
 */
export function isLaterPosition(position: string, than: string): boolean {
  const [epoch, offset] = position.split(':', 2) as [string, string?];
  const [thanEpoch, thanOffset] = than.split(':', 2) as [string, string?];
  if (epoch !== thanEpoch) return true;
  return !(Number(offset) <= Number(thanOffset));
}
