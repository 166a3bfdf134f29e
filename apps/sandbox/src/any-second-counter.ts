const SECOND_MS = 1000;

/** Counts events over every one-second span [t, t + 1 s), wherever it begins. */
export class AnySecondCounter {
  /** Ascending; everything before `#first` is older than a second. */
  #times: number[] = [];
  #first = 0;
  #most = 0;

  /**
   * @param at milliseconds, never less than at the call before
   * @returns how many events, this one included, lie in the fullest second that this one ends
   */
  count(at: number): number {
    this.#times.push(at);
    while (at - (this.#times[this.#first] ?? at) >= SECOND_MS) this.#first += 1;
    if (this.#first > 4096) {
      this.#times = this.#times.slice(this.#first);
      this.#first = 0;
    }
    const inLastSecond = this.#times.length - this.#first;
    this.#most = Math.max(this.#most, inLastSecond);
    return inLastSecond;
  }

  /** The most events that any one second has seen so far. */
  get most(): number {
    return this.#most;
  }
}
