/** Prints PASS or FAIL for each check, and records whether all passed. */
export class Checks {
  #failed = 0;

  check(isMet: boolean, bar: string): void {
    if (!isMet) this.#failed++;
    console.log(`${isMet ? 'PASS' : 'FAIL'}  ${bar}`);
  }

  /** For `process.exitCode`. */
  get exitCode(): number {
    return this.#failed === 0 ? 0 : 1;
  }
}

/** The value below which that share of the samples lies. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** `--name 12` of the command line. */
export function numberArgument(name: string, standard: number): number {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return standard;
  const value = Number(process.argv[at + 1]);
  if (!Number.isFinite(value))
    throw new TypeError(`Expected --${name} to be a number, got ${process.argv[at + 1]}.`);
  return value;
}

export const mebibytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(1)} MiB`;
