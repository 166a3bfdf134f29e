/** The values of one side of a figure, one for each round. */
export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

/** The limits of a figure. */
export interface Target {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** One line of the table. */
export interface Figure {
  /** What was measured, with its unit: `requests per second`. */
  readonly metric: string;
  readonly measured: Series;
  /** Measured in the same rounds. Without a baseline the target applies to the value itself. */
  readonly baseline?: Series;
  /** Default `ratio`. */
  readonly comparison?: 'ratio' | 'difference';
  /** Without a target the figure is only reported. */
  readonly target?: Target;
  /** What a reader must know to judge the figure. */
  readonly note?: string;
}

export interface RowOptions {
  /** Fewer and shorter rounds, for development: the figures are too rough to publish. */
  readonly quick: boolean;
}

/** One question that the benchmark answers: both sides, their workload, and the target in one file. */
export interface Row {
  /** The argument of `--row`. */
  readonly name: string;
  readonly workload: string;
  measure(options: RowOptions): Promise<Figure[]>;
}
