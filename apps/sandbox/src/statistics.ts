/** What the sandbox has seen since it started. */
export interface Statistics {
  /** StopStreamIngest calls, refused ones included. */
  readonly arrivals: number;
  /** The most of them within any one second, wherever it begins. */
  readonly mostInAnySecond: number;
  readonly signatures: { readonly verified: number; readonly rejected: number };
  /** By answer code: `OK`, a cloud error code, `http-404`, or `fault-<kind>`. */
  readonly answers: Readonly<Record<string, number>>;
}

/** Running totals. */
export class Tally {
  arrivals = 0;
  verified = 0;
  rejected = 0;
  readonly #answers = new Map<string, number>();

  answered(code: string): void {
    this.#answers.set(code, (this.#answers.get(code) ?? 0) + 1);
  }

  statistics(mostInAnySecond: number): Statistics {
    return {
      arrivals: this.arrivals,
      mostInAnySecond,
      signatures: { verified: this.verified, rejected: this.rejected },
      answers: Object.fromEntries(this.#answers),
    };
  }
}
