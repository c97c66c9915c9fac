import type { LoggerService } from '@nestjs/common';
import { errorTextOf } from './error-text.js';
import { logLine } from './log-line.js';
import { LogPace } from './log-pace.js';

// Log a failing handler at once, but at most once a second if a client calls it in a loop.
const FAILURE_PACE = { burst: 10, intervalMs: 1_000 };

/**
 * The logger of this library, on top of Nest's. An error becomes one line and a stack, even if reading it throws.
 * Failures of the app's code are logged at a limited rate, with the number suppressed.
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

  /** Logs a line or a thrown value. */
  error(thrown: unknown): void {
    if (typeof thrown === 'string') {
      this.#write('error', thrown);
      return;
    }
    const { summary, stack } = errorTextOf(thrown);
    this.#write('error', oneLine(summary), stack);
  }

  /** Logs an error of the app's code as `event type=… path=… error="TypeError: …"` with its stack. */
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
      // A failing logger of the app must not end the process; stderr is the fallback.
      process.emitWarning(`The logger threw: ${errorTextOf(error).summary}`);
    }
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n\u2028\u2029]+\s*/g, ' ');
}
