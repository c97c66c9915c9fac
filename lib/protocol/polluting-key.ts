/**
 * True for a key that leads an unsafe merge to a prototype: `__proto__`, and `constructor` where its value holds a
 * `prototype` of its own. A plain `constructor`, a word in a list of words say, is data.
 */
export function isPollutingKey(key: string, value: unknown): boolean {
  if (key === '__proto__') return true;
  return (
    key === 'constructor' && typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
  );
}
