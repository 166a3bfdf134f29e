import { parseHttpDate } from './http-date.js';

/** Tencent Cloud accepts a deviation of five minutes. A smaller difference than this cannot be the cause of its error. */
const MIN_SKEW_MS = 60_000;

/** The difference between the cloud's clock and this machine's clock, measured with the Date header of a response. */
export class ClockOffset {
  #ms = 0;

  /** Milliseconds to add to this machine's clock; at most seven days. */
  get ms(): number {
    return this.#ms;
  }

  /**
   * Updates the offset after the cloud rejected a signature that was made with it. Without a better offset, the offset
   * becomes 0: the cloud has rejected the one in use.
   *
   * @param rejectedMs the offset that the signature was made with
   * @param date the Date header of the response
   * @param wallClockMs the time of this machine
   * @returns whether a retry has another time, which the cloud has not rejected
   */
  correct(rejectedMs: number, date: string | undefined, wallClockMs: number): boolean {
    // Another call has already changed it.
    if (rejectedMs !== this.#ms) return true;
    const serverMs = parseHttpDate(date, wallClockMs);
    const isBetter = serverMs !== undefined && Math.abs(serverMs - (wallClockMs + this.#ms)) >= MIN_SKEW_MS;
    this.#ms = isBetter ? serverMs - wallClockMs : 0;
    return isBetter;
  }
}
