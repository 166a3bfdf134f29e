/** Retries that each call adds to the budget. */
const DEPOSIT_PER_CALL = 0.2;

/** Retries added per second, so that a client with few calls can retry too. */
const DEPOSIT_PER_SECOND = 3;

/** The largest number of retries in the budget. */
const MAX_BALANCE = 6;

/**
 * Limits retries to a fifth of the calls plus three a second, so that retries do not overload a failing upstream.
 * Times are milliseconds of a monotonic clock.
 */
export class RetryBudget {
  #balance = MAX_BALANCE;
  #updatedAt: number;

  constructor(now: number) {
    this.#updatedAt = now;
  }

  /** Adds the share of one call. */
  deposit(): void {
    this.#balance = Math.min(MAX_BALANCE, this.#balance + DEPOSIT_PER_CALL);
  }

  /** Takes one retry from the budget. Returns false if it is exhausted. */
  tryWithdraw(now: number): boolean {
    this.#balance = Math.min(
      MAX_BALANCE,
      this.#balance + ((now - this.#updatedAt) / 1000) * DEPOSIT_PER_SECOND,
    );
    this.#updatedAt = now;
    if (this.#balance < 1) return false;
    this.#balance -= 1;
    return true;
  }
}
