/** Shorter texts than this stand in half of all messages by chance; quoted, they are found at any length. */
const MIN_TEXT = 3;
/** Looking further into a large value costs more than a vague message does. */
const MAX_PARTS = 500;

/** True when the message seems to repeat the value, a part of it, or the name of one of its properties. */
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
    // Only what is escaped reads differently in quotes.
    const escaped = JSON.stringify(text);
    return escaped.length !== text.length + 2 && message.includes(escaped);
  }
  return [JSON.stringify(text), `'${text}'`, `\`${text}\``].some((quoted) => message.includes(quoted));
}

function hasNumber(message: string, digits: string): boolean {
  if (!message.includes(digits)) return false;
  return message.split(/[^\d.eE+-]+/).some((word) => word === digits || word === `${digits}.`);
}
