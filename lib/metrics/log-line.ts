type Field = string | number | boolean | null | undefined;

/**
 * One event as one line that people and log stores can read: `disconnect code=1006 durationMs=5123 reason="gone"`.
 * Never give it a payload or a token.
 */
export function logLine(event: string, fields: Readonly<Record<string, Field>>): string {
  let line = event;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === null || value === '') continue;
    line += ` ${name}=${typeof value === 'string' ? quoted(value) : String(value)}`;
  }
  return line;
}

// Client text such as a close reason may hold line breaks: escaped, it cannot forge a line of its own.
function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : JSON.stringify(text);
}
