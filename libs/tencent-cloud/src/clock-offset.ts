/** Tencent Cloud accepts a deviation of five minutes. A smaller difference than this cannot be the cause of its error. */
const MIN_SKEW_MS = 60_000;

/** The difference between the cloud's clock and this machine's clock, measured with the Date header of a response. */
export class ClockOffset {
  #ms = 0;

  /** Milliseconds to add to this machine's clock. */
  get ms(): number {
    return this.#ms;
  }

  /**
   * Updates the offset.
   *
   * @param date the Date header of a response
   * @returns whether the offset changed
   */
  correct(date: string | undefined, wallClockMs: number): boolean {
    // oxlint-disable-next-line no-restricted-globals -- reads text, not the clock
    const serverMs = Date.parse(date ?? '');
    if (Number.isNaN(serverMs) || Math.abs(serverMs - (wallClockMs + this.#ms)) < MIN_SKEW_MS) return false;
    this.#ms = serverMs - wallClockMs;
    return true;
  }
}
