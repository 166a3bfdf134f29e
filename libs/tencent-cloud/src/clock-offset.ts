/** The cloud tolerates five minutes; a Date header that differs by less than this is not what it complains of. */
const WORTH_CORRECTING_MS = 60_000;

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
  correct(date: string | undefined, epochMs: number): boolean {
    // oxlint-disable-next-line no-restricted-globals -- reads text, not the clock
    const theirs = Date.parse(date ?? '');
    if (Number.isNaN(theirs) || Math.abs(theirs - (epochMs + this.#ms)) < WORTH_CORRECTING_MS) return false;
    this.#ms = theirs - epochMs;
    return true;
  }
}
