/** Repetitions that each call pays for: a fifth of one. */
const PER_CALL = 0.2;

/** Repetitions that time pays for, per second, so that a quiet gateway can repeat at all. */
const PER_SECOND = 3;

/** What can be saved up. */
const MOST = 6;

/**
 * Limits repetitions to a fifth of the calls and a few per second: a cloud that is broken is not hammered as well.
 * Times are milliseconds of a clock that never goes back.
 */
export class RetryBudget {
  #balance = MOST;
  #countedAt: number;

  constructor(now: number) {
    this.#countedAt = now;
  }

  /** A call begins. */
  earn(): void {
    this.#balance = Math.min(MOST, this.#balance + PER_CALL);
  }

  /** Pays for one repetition; false when the budget is spent. */
  spend(now: number): boolean {
    this.#balance = Math.min(MOST, this.#balance + ((now - this.#countedAt) / 1000) * PER_SECOND);
    this.#countedAt = now;
    if (this.#balance < 1) return false;
    this.#balance -= 1;
    return true;
  }
}
