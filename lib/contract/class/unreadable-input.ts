/** A value that no instance can be made of; `path` leads to it. */
export class UnreadableInput extends Error {
  readonly path: string[] = [];

  /** The error to throw one level up, where the value is known as `segment`; errors that input cannot cause stay. */
  static at(segment: string, error: unknown): unknown {
    if (error instanceof UnreadableInput) {
      error.path.unshift(segment);
      return error;
    }
    return isCausedByInput(error) ? UnreadableInput.at(segment, new UnreadableInput('is not valid')) : error;
  }
}

/** What JavaScript itself throws when code meets a value of another type than it expects. */
export function isCausedByInput(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof SyntaxError ||
    error instanceof URIError
  );
}
