/** One value of a metric, as exporters read it. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** The name, description and kind of a metric. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
}

/** Counts up, separately for each value of its label if it has one. */
export class Counter implements Metric {
  readonly kind = 'counter';
  readonly #byLabel = new Map<string, number>();
  #total = 0;

  constructor(
    readonly name: string,
    readonly help: string,
    private readonly label?: string,
  ) {}

  /** The sum over all labels. */
  get total(): number {
    return this.#total;
  }

  /** Counts one. Label values must come from a fixed set, since they are never removed. */
  add(labelValue?: string): void {
    this.#total++;
    if (labelValue !== undefined) this.#byLabel.set(labelValue, this.of(labelValue) + 1);
  }

  /** The count of one label value. */
  of(labelValue: string): number {
    return this.#byLabel.get(labelValue) ?? 0;
  }

  samples(): Sample[] {
    const { label } = this;
    if (label === undefined) return [{ labels: {}, value: this.#total }];
    return [...this.#byLabel].map(([name, value]) => ({ labels: { [label]: name }, value }));
  }
}

/** Reads its value when it is exported. */
export class Gauge implements Metric {
  readonly kind = 'gauge';

  constructor(
    readonly name: string,
    readonly help: string,
    private readonly read: () => number,
  ) {}

  samples(): Sample[] {
    return [{ labels: {}, value: this.read() }];
  }
}

/** Counts durations in seconds by buckets. */
export class Histogram implements Metric {
  readonly kind = 'histogram';
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(
    readonly name: string,
    readonly help: string,
    readonly bounds: readonly number[],
  ) {
    this.#counts = bounds.map(() => 0);
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  observe(seconds: number): void {
    this.#count++;
    this.#sum += seconds;
    const { bounds } = this;
    for (let i = 0; i < bounds.length; i++) {
      if (seconds <= (bounds[i] as number)) {
        (this.#counts[i] as number)++;
        return;
      }
    }
  }

  /** Cumulative counts by upper bound, in the Prometheus format. */
  buckets(): { readonly bound: number | '+Inf'; readonly count: number }[] {
    let running = 0;
    const finite = this.bounds.map((bound, i) => ({ bound, count: (running += this.#counts[i] as number) }));
    return [...finite, { bound: '+Inf', count: this.#count }];
  }
}
