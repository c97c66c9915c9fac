export interface LogPaceSettings {
  /** Lines of one kind that may be written at once. */
  readonly burst: number;
  /** Milliseconds until one more line may be written. */
  readonly intervalMs: number;
}

interface Kind {
  /** Lines that may be written now, as a fraction. */
  allowance: number;
  updatedAt: number;
  suppressed: number;
}

// Kinds come from fixed tables; the bound protects against a caller that breaks this rule.
const MAX_KINDS = 1_000;

/** Limits the log lines of each kind of event, and counts the suppressed ones. */
export class LogPace {
  readonly #kinds = new Map<string, Kind>();

  constructor(private readonly settings: LogPaceSettings) {}

  /** The number of lines suppressed since the last one of this kind; `undefined` to suppress this one too. */
  next(kind: string): number | undefined {
    const now = performance.now();
    const known = this.#kinds.get(kind) ?? this.#add(kind, now);
    const { burst, intervalMs } = this.settings;
    known.allowance = Math.min(burst, known.allowance + (now - known.updatedAt) / intervalMs);
    known.updatedAt = now;
    if (known.allowance < 1) {
      known.suppressed++;
      return undefined;
    }
    known.allowance--;
    const { suppressed } = known;
    known.suppressed = 0;
    return suppressed;
  }

  #add(kind: string, now: number): Kind {
    if (this.#kinds.size >= MAX_KINDS) this.#kinds.delete(this.#kinds.keys().next().value as string);
    const added = { allowance: this.settings.burst, updatedAt: now, suppressed: 0 };
    this.#kinds.set(kind, added);
    return added;
  }
}
