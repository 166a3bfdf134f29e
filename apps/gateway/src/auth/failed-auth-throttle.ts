/** The first failures of an address are rejected without a delay: a typing error, or yesterday's key. */
const FREE_FAILURES = 3;

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 2000;

/** After so long without a failure, an address starts again with the free ones. */
const RESET_AFTER_MS = 60_000;

/** Beyond that, the address that has been quiet for longest is dropped. */
const MAX_TRACKED_ADDRESSES = 10_000;

/** Responses that may be delayed at once: each one holds a connection and a timer. */
const MAX_DELAYED_PER_ADDRESS = 20;
const MAX_DELAYED_TOTAL = 500;

interface FailureRecord {
  failures: number;
  pendingDelays: number;
  lastFailureAt: number;
}

/**
 * Delays the responses to wrong keys, longer after each failure from the same address. Valid keys are never delayed,
 * so one client's guesses cannot lock out another client, not even one with the same address.
 */
export class FailedAuthThrottle {
  // In the order of the last failures.
  readonly #records = new Map<string, FailureRecord>();
  #pendingDelays = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(private readonly now: () => number) {}

  /**
   * Records a wrong key.
   *
   * @returns how long to delay the response, in milliseconds; each delay above 0 ends with {@link release};
   *   undefined when too many responses are delayed already
   */
  recordFailure(address: string): number | undefined {
    const record = this.#recordOf(address);
    record.failures += 1;
    if (record.failures <= FREE_FAILURES) return 0;
    if (record.pendingDelays >= MAX_DELAYED_PER_ADDRESS || this.#pendingDelays >= MAX_DELAYED_TOTAL)
      return undefined;
    record.pendingDelays += 1;
    this.#pendingDelays += 1;
    return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (record.failures - FREE_FAILURES - 1));
  }

  /** A delayed response has been sent. */
  release(address: string): void {
    this.#pendingDelays -= 1;
    const record = this.#records.get(address);
    if (record) record.pendingDelays -= 1;
  }

  #recordOf(address: string): FailureRecord {
    const now = this.now();
    let record = this.#records.get(address);
    if (!record || (record.pendingDelays === 0 && now - record.lastFailureAt > RESET_AFTER_MS))
      record = { failures: 0, pendingDelays: 0, lastFailureAt: now };
    record.lastFailureAt = now;
    this.#records.delete(address);
    this.#records.set(address, record);
    if (this.#records.size > MAX_TRACKED_ADDRESSES) this.#records.delete(this.#records.keys().next().value!);
    return record;
  }
}
