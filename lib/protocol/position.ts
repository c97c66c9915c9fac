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
