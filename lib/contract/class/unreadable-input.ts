/** A value from which no instance can be created; `path` leads to it. */
export class UnreadableInput extends Error {
  readonly path: string[] = [];

  /** The error to throw one level up, with `segment` added to its path. Errors that input cannot cause stay unchanged. */
  static at(segment: string, error: unknown): unknown {
    if (error instanceof UnreadableInput) {
      error.path.unshift(segment);
      return error;
    }
    return isCausedByInput(error) ? UnreadableInput.at(segment, new UnreadableInput('is not valid')) : error;
  }
}

/** True for errors that JavaScript throws when a value has an unexpected type. */
export function isCausedByInput(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof SyntaxError ||
    error instanceof URIError
  );
}
