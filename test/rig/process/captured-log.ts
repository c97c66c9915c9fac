import type { LoggerService } from '@nestjs/common';

/** A logger that records every line, debug included. */
export class CapturedLog implements LoggerService {
  readonly lines: { level: string; text: string }[] = [];

  log = (...parts: unknown[]) => this.#keep('log', parts);
  error = (...parts: unknown[]) => this.#keep('error', parts);
  warn = (...parts: unknown[]) => this.#keep('warn', parts);
  debug = (...parts: unknown[]) => this.#keep('debug', parts);
  verbose = (...parts: unknown[]) => this.#keep('verbose', parts);
  fatal = (...parts: unknown[]) => this.#keep('fatal', parts);

  of(level: string): string[] {
    return this.lines.filter((line) => line.level === level).map(({ text }) => text);
  }

  get text(): string {
    return this.lines.map(({ text }) => text).join('\n');
  }

  #keep(level: string, parts: unknown[]): void {
    this.lines.push({ level, text: parts.map(textOf).join(' ') });
  }
}

function textOf(part: unknown): string {
  return part instanceof Error ? `${part.message}\n${part.stack}` : String(part);
}
