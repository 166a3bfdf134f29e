import { setTimeout as sleep } from 'node:timers/promises';

export interface DelayRange {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Network delay per direction; each request draws its own, uniformly distributed over the range. */
export interface Delays {
  /** Before the request counts as received. */
  readonly request: DelayRange;
  /** Between the decision and the first byte of the response. */
  readonly response: DelayRange;
}

export const NO_DELAYS: Delays = { request: { minMs: 0, maxMs: 0 }, response: { minMs: 0, maxMs: 0 } };

/** Simulates the network between client and cloud. */
export class Network {
  #delays: Delays;

  /** @param random returns [0, 1) @param closing rejects all pending delays */
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

  /** Changes the given directions. @throws RangeError when minMs is greater than maxMs */
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
  for (const direction of ['request', 'response'] as const) {
    const { minMs, maxMs } = delays[direction];
    if (!(minMs >= 0 && minMs <= maxMs)) {
      throw new RangeError(`${direction}: 0 <= minMs <= maxMs must hold, got ${minMs} and ${maxMs}`);
    }
  }
  return delays;
}
