import { inspect } from 'node:util';

/** An error as the log shows it. */
export interface ErrorText {
  readonly name: string;
  /** Name and message, of bounded length; it may hold line breaks. */
  readonly summary: string;
  /** The stack frames, with those of its causes; `undefined` if there is no stack. */
  readonly stack: string | undefined;
}

const MAX_SUMMARY_LENGTH = 500;
const MAX_STACK_LENGTH = 8_192;
const MAX_CAUSES = 3;
// Match at the end, so that a message cannot imitate frames.
const FRAMES = /(?:\n[ \t]+at .+)+$/;
const UNREADABLE = 'an error that cannot be read';

/** Describes any thrown value. It never throws, even if getters, `toString` or Proxies do. */
export function errorTextOf(thrown: unknown): ErrorText {
  const { name, summary, frames, cause } = describe(thrown);
  if (frames === undefined) return { name, summary, stack: undefined };
  let stack = headline(summary) + frames;
  let next = cause;
  for (let i = 0; i < MAX_CAUSES && next !== undefined; i++) {
    const of = describe(next);
    stack += `\n[cause] ${headline(of.summary)}${of.frames ?? ''}`;
    next = of.cause;
  }
  return { name, summary, stack: stack.slice(0, MAX_STACK_LENGTH) };
}

function describe(thrown: unknown) {
  if (!isError(thrown)) return { name: typeof thrown, summary: inspected(thrown) };
  const name = textAt(thrown, 'name') ?? 'Error';
  const message = textAt(thrown, 'message');
  const summary =
    message === undefined ? `${name}: ${UNREADABLE}` : message === '' ? name : `${name}: ${message}`;
  return {
    name,
    summary: summary.slice(0, MAX_SUMMARY_LENGTH),
    frames: FRAMES.exec((textAt(thrown, 'stack') ?? '').slice(-MAX_STACK_LENGTH))?.[0],
    cause: valueAt(thrown, 'cause'),
  };
}

function isError(thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error;
  } catch {
    return false;
  }
}

function valueAt(error: Error, property: 'name' | 'message' | 'stack' | 'cause'): unknown {
  try {
    return error[property];
  } catch {
    return undefined;
  }
}

function textAt(error: Error, property: 'name' | 'message' | 'stack'): string | undefined {
  const value = valueAt(error, property);
  return typeof value === 'string' ? value : undefined;
}

function inspected(thrown: unknown): string {
  try {
    const options = { depth: 1, breakLength: Infinity, customInspect: false, maxStringLength: 200 };
    return inspect(thrown, options).slice(0, MAX_SUMMARY_LENGTH);
  } catch {
    return UNREADABLE;
  }
}

// Client text in a message must not forge log lines.
function headline(summary: string): string {
  return summary.replaceAll(/[\r\n\u2028\u2029]+/g, ' ');
}
