/** How long after a reduction the capacity stays reduced, in milliseconds. */
const RECOVERY_DELAY_MS = 5000;

/** How long it takes to restore one slot after that, in milliseconds. */
const RECOVERY_STEP_MS = 1000;

/** Throttled responses within this time after a reduction, in milliseconds, belong to the same burst. */
const REDUCTION_COOLDOWN_MS = 1000;

/**
 * The capacity: how many slots may be used. It is halved when the upstream throttles a call that the quota allowed,
 * because then another program uses the same upstream limit. After five seconds it grows by one slot a second.
 */
export class AdaptiveLimit {
  #reducedTo: number;
  #reducedAt = -Infinity;

  constructor(readonly max: number) {
    this.#reducedTo = max;
  }

  /** Halves the capacity, to at least 1. Returns false if it was already reduced for this burst. */
  reduce(now: number): boolean {
    if (now - this.#reducedAt < REDUCTION_COOLDOWN_MS) return false;
    this.#reducedTo = Math.max(1, Math.floor(this.current(now) / 2));
    this.#reducedAt = now;
    return true;
  }

  current(now: number): number {
    return Math.min(this.max, this.#reducedTo + this.#increases(now));
  }

  /** Returns when the capacity grows next; Infinity when it is full. */
  nextIncreaseAt(now: number): number {
    if (this.current(now) === this.max) return Infinity;
    return this.#reducedAt + RECOVERY_DELAY_MS + this.#increases(now) * RECOVERY_STEP_MS;
  }

  #increases(now: number): number {
    return Math.max(0, Math.floor((now - this.#reducedAt - RECOVERY_DELAY_MS) / RECOVERY_STEP_MS) + 1);
  }
}
