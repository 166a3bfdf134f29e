/** What the sandbox has seen since it started. */
export interface Statistics {
  /** StopStreamIngest calls, refused ones included. */
  readonly stopCalls: number;
  /** The most of them within any one second, wherever it begins. */
  readonly peakPerSecond: number;
  readonly signatures: { readonly verified: number; readonly rejected: number };
  /** By answer code: `OK`, a cloud error code, `http-404`, or `fault-<kind>`. */
  readonly responses: Readonly<Record<string, number>>;
}

/** Running totals. */
export class Counters {
  stopCalls = 0;
  verified = 0;
  rejected = 0;
  readonly #responses = new Map<string, number>();

  countResponse(code: string): void {
    this.#responses.set(code, (this.#responses.get(code) ?? 0) + 1);
  }

  statistics(peakPerSecond: number): Statistics {
    return {
      stopCalls: this.stopCalls,
      peakPerSecond,
      signatures: { verified: this.verified, rejected: this.rejected },
      responses: Object.fromEntries(this.#responses),
    };
  }
}
