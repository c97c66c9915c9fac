import type { Entrant, Figures } from './test-setup.js';

/** A target for ours relative to a peer. */
export interface Bar {
  readonly peer: string;
  /** The least ratio to the peer's figure. */
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
  /** The most bytes, for a row of bytes. */
  readonly atMost?: number;
  /** Starts an entrant and warms it up; the returned function runs one round. */
  prepare(entrant: Entrant, seconds: number): Promise<{ round(): Promise<Figures>; stop(): Promise<void> }>;
}
