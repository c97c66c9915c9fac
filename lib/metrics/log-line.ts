type Field = string | number | boolean | null | undefined;

/**
 * Formats an event as one log line: `disconnect code=1006 durationMs=5123 reason="gone"`. Never pass a payload or a
 * token.
 */
export function logLine(event: string, fields: Readonly<Record<string, Field>>): string {
  let line = event;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === null || value === '') continue;
    line += ` ${name}=${typeof value === 'string' ? quoted(value) : String(value)}`;
  }
  return line;
}

// Client text, such as a close reason, is escaped so that it cannot forge log lines.
function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : JSON.stringify(text);
}
