/** The first failures of an address are not delayed: they may be a typing error or an expired key. */
const FREE_FAILURES = 3;

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 2000;

/** After this time without a failure, the failures of an address are forgotten. */
const RESET_AFTER_MS = 60_000;

/** Above this limit, the address with the oldest last failure is dropped, unless a response to it is delayed. */
const MAX_TRACKED_ADDRESSES = 10_000;

/** Limits of concurrently delayed responses: each one holds a connection and a timer. */
const MAX_DELAYED_PER_ADDRESS = 20;
const MAX_DELAYED_TOTAL = 500;

interface FailureRecord {
  failures: number;
  pendingDelays: number;
  lastFailureAt: number;
}

/**
 * Delays the responses to wrong keys, longer after each failure from the same address. Valid keys are never delayed, so
 * that a client cannot lock out another client, not even one with the same address.
 */
export class FailedAuthThrottle {
  // In order of the last failure.
  readonly #records = new Map<string, FailureRecord>();
  #pendingDelays = 0;

  /** @param now returns milliseconds of a monotonic clock */
  constructor(private readonly now: () => number) {}

  /**
   * Records a wrong key.
   *
   * @returns the delay of the response in milliseconds, or undefined when too many responses are already delayed. After
   *   each delay above 0, call {@link release}.
   */
  recordFailure(address: string): number | undefined {
    const record = this.#recordOf(address);
    record.failures += 1;
    if (record.failures <= FREE_FAILURES) return 0;
    if (record.pendingDelays >= MAX_DELAYED_PER_ADDRESS || this.#pendingDelays >= MAX_DELAYED_TOTAL)
      return undefined;
    record.pendingDelays += 1;
    this.#pendingDelays += 1;
    return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (record.failures - FREE_FAILURES - 1));
  }

  /** Ends the delay of one response. */
  release(address: string): void {
    this.#pendingDelays -= 1;
    this.#records.get(address)!.pendingDelays -= 1;
  }

  #recordOf(address: string): FailureRecord {
    const now = this.now();
    let record = this.#records.get(address);
    if (!record || (record.pendingDelays === 0 && now - record.lastFailureAt > RESET_AFTER_MS))
      record = { failures: 0, pendingDelays: 0, lastFailureAt: now };
    record.lastFailureAt = now;
    this.#records.delete(address);
    this.#records.set(address, record);
    if (this.#records.size > MAX_TRACKED_ADDRESSES) this.#dropOldest();
    return record;
  }

  #dropOldest(): void {
    for (const [address, { pendingDelays }] of this.#records)
      if (pendingDelays === 0) {
        this.#records.delete(address);
        return;
      }
  }
}

/**
 * Returns the part of an IP address that its owner cannot choose: a whole IPv4 address, or the first 64 bits of an IPv6
 * address.
 */
export function addressPrefix(address: string): string {
  const v4 = /(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (v4) return v4;
  const [head = [], tail = []] = address.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].slice(0, 4).join(':');
}
