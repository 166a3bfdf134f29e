/** Totals since the sandbox started. */
export interface Statistics {
  /** Received StopStreamIngest calls, rejected ones included. */
  readonly stopCalls: number;
  /** The highest number of these calls in any one-second window. */
  readonly peakPerSecond: number;
  readonly signatures: { readonly verified: number; readonly rejected: number };
  /** By response code: `OK`, a cloud error code, `http-404`, or `fault-<kind>`. */
  readonly responses: Readonly<Record<string, number>>;
}

/** Counts what {@link Statistics} reports. */
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
