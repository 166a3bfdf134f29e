/** The cloud tolerates five minutes; a Date header that differs by less than this is not what it complains of. */
const MIN_SKEW_MS = 60_000;

/** What to add to this machine's time to have the cloud's, learnt from the cloud's own answers. */
export class ClockOffset {
  #ms = 0;

  get ms(): number {
    return this.#ms;
  }

  /**
   * @param date the Date header of an answer
   * @returns whether the offset has changed
   */
  correct(date: string | undefined, wallClockMs: number): boolean {
    // oxlint-disable-next-line no-restricted-globals -- reads text, not the clock
    const serverMs = Date.parse(date ?? '');
    if (Number.isNaN(serverMs) || Math.abs(serverMs - (wallClockMs + this.#ms)) < MIN_SKEW_MS) return false;
    this.#ms = serverMs - wallClockMs;
    return true;
  }
}
