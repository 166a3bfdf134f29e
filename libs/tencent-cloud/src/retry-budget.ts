/** Repetitions that each call pays for: a fifth of one. */
const DEPOSIT_PER_CALL = 0.2;

/** Repetitions that time pays for, per second, so that a quiet gateway can repeat at all. */
const DEPOSIT_PER_SECOND = 3;

/** What can be saved up. */
const MAX_BALANCE = 6;

/**
 * Limits repetitions to a fifth of the calls and a few per second: a cloud that is broken is not hammered as well.
 * Times are milliseconds of a clock that never goes back.
 */
export class RetryBudget {
  #balance = MAX_BALANCE;
  #updatedAt: number;

  constructor(now: number) {
    this.#updatedAt = now;
  }

  /** A call begins. */
  deposit(): void {
    this.#balance = Math.min(MAX_BALANCE, this.#balance + DEPOSIT_PER_CALL);
  }

  /** Pays for one repetition; false when the budget is spent. */
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
