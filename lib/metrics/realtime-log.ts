import type { LoggerService } from '@nestjs/common';
import { errorTextOf } from './error-text.js';
import { logLine } from './log-line.js';
import { LogPace } from './log-pace.js';

// A broken handler shows itself at once; a client that calls it in a loop writes a line a second.
const FAILURE_PACE = { burst: 10, intervalMs: 1_000 };

/**
 * Nest's logger for everything this library says. An error becomes one line and a stack, even when reading it throws,
 * and failures of the app's own code come at a bounded pace with the number of those left out.
 */
export class RealtimeLog implements LoggerService {
  readonly #pace = new LogPace(FAILURE_PACE);

  constructor(private readonly target: LoggerService) {}

  log(line: string): void {
    this.#write('log', line);
  }

  warn(line: string): void {
    this.#write('warn', line);
  }

  debug(line: string): void {
    this.#write('debug', line);
  }

  /** A line, or anything that was thrown. */
  error(thrown: unknown): void {
    if (typeof thrown === 'string') {
      this.#write('error', thrown);
      return;
    }
    const { summary, stack } = errorTextOf(thrown);
    this.#write('error', oneLine(summary), stack);
  }

  /** Code of the app threw: `event type=… path=… error="TypeError: …"` and its stack. */
  failure(event: string, fields: Parameters<typeof logLine>[1], thrown: unknown): void {
    const { name, summary, stack } = errorTextOf(thrown);
    const suppressed = this.#pace.next(`${event} ${fields['path']} ${fields['type']} ${name}`);
    if (suppressed === undefined) return;
    this.#write(
      'error',
      logLine(event, { ...fields, error: summary, suppressed: suppressed || undefined }),
      stack,
    );
  }

  #write(level: 'log' | 'warn' | 'debug' | 'error', line: string, ...stack: (string | undefined)[]): void {
    try {
      this.target[level]?.(line, ...stack.filter((each) => each !== undefined));
    } catch (error) {
      // The app's own logger failed: that must not take the process with it, and stderr is what is left.
      process.emitWarning(`The logger threw: ${errorTextOf(error).summary}`);
    }
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n\u2028\u2029]+\s*/g, ' ');
}
