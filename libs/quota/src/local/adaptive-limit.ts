/** How long after a refusal the number of slots stays lowered, in milliseconds, before it grows again. */
const RECOVERY_DELAY_MS = 5000;

/** Then one slot comes back in each of these, in milliseconds. */
const RECOVERY_STEP_MS = 1000;

/** Refusals this close together, in milliseconds, are of one burst and lower the number once. */
const REDUCTION_COOLDOWN_MS = 1000;

/**
 * How many of the slots may be used. All of them, until the far end refuses a call that the rule allowed: then
 * somebody else is using the same quota, and half of what was used must do. It grows back step by step.
 */
export class AdaptiveLimit {
  #reducedTo: number;
  #reducedAt = -Infinity;

  constructor(readonly max: number) {
    this.#reducedTo = max;
  }

  /** Halves the number, to one at the least; false when that was done for this burst already. */
  reduce(now: number): boolean {
    if (now - this.#reducedAt < REDUCTION_COOLDOWN_MS) return false;
    this.#reducedTo = Math.max(1, Math.floor(this.current(now) / 2));
    this.#reducedAt = now;
    return true;
  }

  current(now: number): number {
    const steps = Math.floor((now - this.#reducedAt - RECOVERY_DELAY_MS) / RECOVERY_STEP_MS) + 1;
    return Math.min(this.max, this.#reducedTo + Math.max(0, steps));
  }

  /** When the number next grows; Infinity when it is full. */
  nextIncreaseAt(now: number): number {
    if (this.current(now) === this.max) return Infinity;
    const steps = Math.max(0, Math.floor((now - this.#reducedAt - RECOVERY_DELAY_MS) / RECOVERY_STEP_MS) + 1);
    return this.#reducedAt + RECOVERY_DELAY_MS + steps * RECOVERY_STEP_MS;
  }
}
