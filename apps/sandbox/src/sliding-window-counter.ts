const WINDOW_MS = 1000;

/** Counts events in every one-second window [t, t + 1 s), for any t. */
export class SlidingWindowCounter {
  /** Ascending; entries before `#first` are outside the window. */
  #times: number[] = [];
  #first = 0;
  #peak = 0;

  /**
   * @param timeMs milliseconds, never less than in the previous call
   * @returns the number of events in the window that ends with this event, this one included
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

  /** The highest number of events in any window so far. */
  get peak(): number {
    return this.#peak;
  }
}
