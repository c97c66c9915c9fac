export interface Issue {
  readonly path: string;
  readonly message: string;
}

/** The house said no, and why: over the socket a `$error`, over HTTP a 4xx. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: string,
    message: string,
    readonly issues: readonly Issue[] = [],
  ) {
    super(message);
  }
}

/** What to tell the person in front of the screen. */
export function inWords(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  return 'The house cannot be reached. Nothing was changed; please try again.';
}
