/** The number of entries of one source per second that are logged. */
const MAX_ENTRIES = 10;

const WINDOW_MS = 1000;

/** All further addresses of a second count as one source, so that addresses cost neither memory nor entries. */
const MAX_ADDRESSES = 100;

/** The cause of log entries: a caller, or the address of a client without a valid key. */
export type LogSource = { readonly caller: string } | { readonly address: string | undefined };

/**
 * Limits the log entries of requests that anyone can send in any number. Each second, the first entries of a source are
 * logged; then the number of the others is reported.
 */
export class LogSampler {
  readonly #callers = new Map<string, number>();
  readonly #addresses = new Map<string | undefined, number>();
  #cancelTimer: (() => void) | undefined;

  /**
   * @param setTimer calls back after milliseconds, unless the returned function is called
   * @param onSampled receives the number of entries of a source that were left out
   */
  constructor(
    private readonly setTimer: (ms: number, callback: () => void) => () => void,
    private readonly onSampled: (source: LogSource, count: number) => void,
  ) {}

  /** Counts an entry. Returns whether to log it. */
  admit(source: LogSource): boolean {
    this.#cancelTimer ??= this.setTimer(WINDOW_MS, () => this.report());
    if ('caller' in source) return increment(this.#callers, source.caller) <= MAX_ENTRIES;
    const isTracked = this.#addresses.has(source.address) || this.#addresses.size < MAX_ADDRESSES;
    return increment(this.#addresses, isTracked ? source.address : undefined) <= MAX_ENTRIES;
  }

  /** Ends the second, and reports what was left out. */
  report(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const addresses = [...this.#addresses].map(([address, count]) => [{ address }, count] as const);
    const callers = [...this.#callers].map(([caller, count]) => [{ caller }, count] as const);
    this.#addresses.clear();
    this.#callers.clear();
    for (const [source, count] of [...callers, ...addresses])
      if (count > MAX_ENTRIES) this.onSampled(source, count - MAX_ENTRIES);
  }
}

function increment<Key>(counts: Map<Key, number>, key: Key): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}
