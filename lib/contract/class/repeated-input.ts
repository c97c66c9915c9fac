/** Shorter texts occur in messages by chance; quoted texts are found at any length. */
const MIN_TEXT = 3;
/** Larger values are treated as repeated, to bound the search. */
const MAX_PARTS = 500;

/** True if the message seems to contain the value, a part of it, or one of its property names. */
export function repeatsInput(message: string, value: unknown): boolean {
  let parts = 0;
  const isIn = (part: unknown): boolean => {
    parts += 1;
    if (parts > MAX_PARTS) return true;
    if (typeof part === 'string')
      return (part.length >= MIN_TEXT && message.includes(part)) || isQuotedIn(message, part);
    if (typeof part === 'number' || typeof part === 'bigint') return hasNumber(message, String(part));
    if (typeof part !== 'object' || part === null) return false;
    if (Array.isArray(part)) return part.some(isIn);
    return Object.entries(part).some(([key, item]) => isQuotedIn(message, key) || isIn(item));
  };
  return isIn(value);
}

function isQuotedIn(message: string, text: string): boolean {
  if (!message.includes(text)) {
    // Only escaped characters differ in quotes.
    const escaped = JSON.stringify(text);
    return escaped.length !== text.length + 2 && message.includes(escaped);
  }
  return [JSON.stringify(text), `'${text}'`, `\`${text}\``].some((quoted) => message.includes(quoted));
}

function hasNumber(message: string, digits: string): boolean {
  if (!message.includes(digits)) return false;
  return message.split(/[^\d.eE+-]+/).some((word) => word === digits || word === `${digits}.`);
}
