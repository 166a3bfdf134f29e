import { setTimeout as sleep } from 'node:timers/promises';

export interface DelayRange {
  readonly minMs: number;
  readonly maxMs: number;
}

/** How long the network takes each way; each trip draws its own length, evenly spread over the span. */
export interface Delays {
  /** Before the request is counted as arrived. */
  readonly request: DelayRange;
  /** Between the cloud's decision and its answer's first byte. */
  readonly response: DelayRange;
}

export const NO_DELAYS: Delays = { request: { minMs: 0, maxMs: 0 }, response: { minMs: 0, maxMs: 0 } };

/** The way between client and cloud. */
export class Network {
  #delays: Delays;

  /** @param random yields [0, 1) @param closing ends all trips, by rejection */
  constructor(
    delays: Delays,
    private readonly random: () => number,
    private readonly closing: AbortSignal,
  ) {
    this.#delays = validate(delays);
  }

  get delays(): Delays {
    return this.#delays;
  }

  /** Changes the ways given. @throws RangeError when a span ends before it begins */
  update(delays: Partial<Delays>): void {
    this.#delays = validate({ ...this.#delays, ...delays });
  }

  async delay(direction: keyof Delays): Promise<void> {
    const { minMs, maxMs } = this.#delays[direction];
    const ms = minMs + this.random() * (maxMs - minMs);
    if (ms > 0) await sleep(ms, undefined, { signal: this.closing });
  }
}

function validate(delays: Delays): Delays {
  for (const way of ['request', 'response'] as const) {
    const { minMs, maxMs } = delays[way];
    if (!(minMs >= 0 && minMs <= maxMs)) {
      throw new RangeError(`${way}: 0 <= minMs <= maxMs is needed, got ${minMs} and ${maxMs}`);
    }
  }
  return delays;
}
