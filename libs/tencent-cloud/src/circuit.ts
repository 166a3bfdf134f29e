import { CircuitState, circuitBreaker, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import type { Clock } from './clock.js';
import type { ClientObserver } from './observer.js';
import { CircuitOpen, isFailure } from './errors.js';

/** So many failures in a row, with no definite answer in between, open the circuit. */
const FAILURES_IN_A_ROW = 10;

/** How long the cloud is then left alone before one call tries it, in milliseconds. */
const OPEN_MS = 5000;

/** When the call that tries it will have told, at a guess, in milliseconds. */
const PROBE_MS = 1000;

const STATES = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'open',
} as const;

/**
 * Leaves a failing cloud alone. What counts is what the attempt ended in, not its HTTP status: the cloud answers 200
 * to nearly everything.
 */
export class Circuit {
  readonly #breaker = circuitBreaker(handleWhen(isFailure), {
    halfOpenAfter: OPEN_MS,
    breaker: new ConsecutiveBreaker(FAILURES_IN_A_ROW),
  });
  readonly #clock: Clock;
  #openedAt = 0;

  constructor(clock: Clock, observer?: ClientObserver) {
    this.#clock = clock;
    this.#breaker.onStateChange((state) => {
      if (state === CircuitState.Open) this.#openedAt = clock.now();
      observer?.circuit(STATES[state]);
    });
  }

  /** @throws CircuitOpen when no call is let through now */
  check(): void {
    const { state } = this.#breaker;
    if (state === CircuitState.HalfOpen) throw new CircuitOpen(PROBE_MS);
    const leftMs = this.#openedAt + OPEN_MS - this.#clock.now();
    if (state === CircuitState.Open && leftMs > 0) throw new CircuitOpen(leftMs);
  }

  /** Runs an attempt that {@link check} let through, and learns from its end. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    const ended = await this.#breaker.execute(() => settle(attempt));
    if ('refusal' in ended) throw ended.refusal;
    return ended.answer;
  }
}

// The breaker counts whatever does not throw as a success; an error that it does not handle it would ignore.
async function settle<T>(attempt: () => Promise<T>): Promise<{ answer: T } | { refusal: unknown }> {
  try {
    return { answer: await attempt() };
  } catch (error) {
    if (isFailure(error)) throw error;
    return { refusal: error };
  }
}
