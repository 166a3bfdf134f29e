/** How long after a refusal the number of slots stays lowered, in milliseconds, before it grows again. */
const PAUSE_MS = 5000;

/** Then one slot comes back in each of these, in milliseconds. */
const STEP_MS = 1000;

/** Refusals this close together, in milliseconds, are of one burst and lower the number once. */
const BURST_MS = 1000;

/**
 * How many of the slots may be used. All of them, until the far end refuses a call that the rule allowed: then
 * somebody else is using the same quota, and half of what was used must do. It grows back step by step.
 */
export class Allowance {
  #lowest: number;
  #loweredAt = -Infinity;

  constructor(readonly full: number) {
    this.#lowest = full;
  }

  /** Halves the number, to one at the least; false when that was done for this burst already. */
  lower(now: number): boolean {
    if (now - this.#loweredAt < BURST_MS) return false;
    this.#lowest = Math.max(1, Math.floor(this.at(now) / 2));
    this.#loweredAt = now;
    return true;
  }

  at(now: number): number {
    const steps = Math.floor((now - this.#loweredAt - PAUSE_MS) / STEP_MS) + 1;
    return Math.min(this.full, this.#lowest + Math.max(0, steps));
  }

  /** When the number next grows; Infinity when it is full. */
  nextStep(now: number): number {
    if (this.at(now) === this.full) return Infinity;
    const steps = Math.max(0, Math.floor((now - this.#loweredAt - PAUSE_MS) / STEP_MS) + 1);
    return this.#loweredAt + PAUSE_MS + steps * STEP_MS;
  }
}
