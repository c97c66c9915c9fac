import type { Entrant, Figures } from './bout.js';

/** What ours has to be, against whom. */
export interface Bar {
  readonly peer: string;
  /** At least so many times the peer's figure; for bytes, at most so many bytes. */
  readonly factor: number;
  /** The row the peer's figure is taken from. @default this row */
  readonly row?: string;
}

/** One line of the table before it is measured. */
export interface Row {
  readonly name: string;
  readonly title: string;
  readonly unit: 'per CPU second' | 'bytes';
  readonly entrants: readonly Entrant[];
  readonly bars: readonly Bar[];
  /** Bytes at most, for a row of bytes. */
  readonly atMost?: number;
  /** Starts an entrant and warms it up; the function is then one round's work. */
  prepare(entrant: Entrant, seconds: number): Promise<{ round(): Promise<Figures>; stop(): Promise<void> }>;
}
