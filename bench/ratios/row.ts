/** One side of a figure: who, and what was measured of it, once for each round. */
export interface Side {
  readonly name: string;
  readonly values: readonly number[];
}

/** What a figure must be; without one it is only reported. */
export interface Target {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** One line of the table. */
export interface Figure {
  /** What was measured, with its unit: `requests per second`. */
  readonly what: string;
  readonly ours: Side;
  /** Measured in the same rounds; without it our own figure is held against the target. */
  readonly theirs?: Side;
  /** How the sides are held against each other; default `ratio`. */
  readonly compared?: 'ratio' | 'difference';
  readonly target?: Target;
  /** What a reader must know to judge it. */
  readonly note?: string;
}

export interface RowOptions {
  /** Fewer and shorter rounds, for development: figures too rough to publish. */
  readonly quick: boolean;
}

/** One question that the benchmark answers: both sides, their work and the target in one file. */
export interface Row {
  /** For `--row`. */
  readonly name: string;
  /** What both sides do. */
  readonly work: string;
  measure(options: RowOptions): Promise<Figure[]>;
}
