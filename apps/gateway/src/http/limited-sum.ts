/**
 * Adds up one amount for each key. While the sum is above the limit, it drops the key that has had an amount for the
 * longest time.
 */
export class LimitedSum<Key> {
  readonly #amounts = new Map<Key, number>();
  #sum = 0;

  constructor(
    private readonly limit: number,
    private readonly onDropped: (key: Key) => void,
  ) {}

  /** Changes the amount of a key, which is at least 0. */
  add(key: Key, difference: number): void {
    this.set(key, Math.max(0, (this.#amounts.get(key) ?? 0) + difference));
  }

  /** Sets the amount of a key. */
  set(key: Key, amount: number): void {
    this.#replace(key, amount);
    for (const [longest] of this.#amounts) {
      if (this.#sum <= this.limit) break;
      this.#replace(longest, 0);
      this.onDropped(longest);
    }
  }

  #replace(key: Key, amount: number): void {
    this.#sum += amount - (this.#amounts.get(key) ?? 0);
    if (amount === 0) this.#amounts.delete(key);
    else this.#amounts.set(key, amount);
  }
}
