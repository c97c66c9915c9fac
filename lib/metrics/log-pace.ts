export interface LogPaceSettings {
  /** Lines of one kind that may follow each other at once. */
  readonly burst: number;
  /** How often one more may follow after those. */
  readonly intervalMs: number;
}

interface Kind {
  /** Lines that may be written now; a fraction between two of them. */
  allowance: number;
  updatedAt: number;
  suppressed: number;
}

// Kinds come from fixed tables; should a caller make them of something else, memory stays bounded.
const MAX_KINDS = 1_000;

/** Bounds the lines that one kind of event may write to the log, and counts those left out. */
export class LogPace {
  readonly #kinds = new Map<string, Kind>();

  constructor(private readonly settings: LogPaceSettings) {}

  /** How many lines of this kind were left out since its last one; `undefined` when this one is left out as well. */
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
