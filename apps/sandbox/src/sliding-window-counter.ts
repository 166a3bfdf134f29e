const WINDOW_MS = 1000;

/** Counts events over every one-second span [t, t + 1 s), wherever it begins. */
export class SlidingWindowCounter {
  /** Ascending; everything before `#first` is older than a second. */
  #times: number[] = [];
  #first = 0;
  #peak = 0;

  /**
   * @param timeMs milliseconds, never less than at the call before
   * @returns how many events, this one included, lie in the fullest second that this one ends
   */
  record(timeMs: number): number {
    this.#times.push(timeMs);
    while (timeMs - (this.#times[this.#first] ?? timeMs) >= WINDOW_MS) this.#first += 1;
    if (this.#first > 4096) {
      this.#times = this.#times.slice(this.#first);
      this.#first = 0;
    }
    const inWindow = this.#times.length - this.#first;
    this.#peak = Math.max(this.#peak, inWindow);
    return inWindow;
  }

  /** The most events that any one second has seen so far. */
  get peak(): number {
    return this.#peak;
  }
}
