import type { Clock } from './clock.js';
import { CircuitOpenError, isTransientFailure } from './errors.js';
import type { CircuitStateName, ClientObserver } from './observer.js';

/** Consecutive failures that open the circuit. */
const FAILURE_THRESHOLD = 10;

/** Time from opening to the probe. */
const OPEN_MS = 5000;

/** Retry-After while the probe is in flight: an estimate of its duration. */
const PROBE_MS = 1000;

/**
 * Stops calling an upstream that keeps failing. After {@link FAILURE_THRESHOLD} consecutive failures the circuit is
 * open for {@link OPEN_MS}; then one attempt, the probe, decides whether it closes or stays open.
 *
 * An attempt fails by its error, not by its HTTP status: Tencent Cloud responds 200 to nearly everything.
 */
export class CircuitBreaker {
  #state: CircuitStateName = 'closed';
  #failures = 0;
  #openedAt = 0;

  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly observer?: Pick<ClientObserver, 'circuitStateChanged'>,
  ) {}

  /** @throws CircuitOpenError when {@link run} would reject an attempt now */
  assertClosed(): void {
    if (this.#state === 'half-open') throw new CircuitOpenError(PROBE_MS);
    const remainingMs = this.#openedAt + OPEN_MS - this.clock.now();
    if (this.#state === 'open' && remainingMs > 0) throw new CircuitOpenError(remainingMs);
  }

  /**
   * Runs an attempt and records its result. The first attempt that runs after the circuit was open is the probe.
   *
   * @throws CircuitOpenError when the attempt may not run
   * @throws whatever the attempt rejects with
   */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    this.assertClosed();
    const isProbe = this.#state === 'open';
    if (isProbe) this.#changeState('half-open');
    let failed = false;
    try {
      return await attempt();
    } catch (error) {
      failed = isTransientFailure(error);
      throw error;
    } finally {
      // The result of an attempt that began before the circuit opened is outdated.
      if (isProbe || this.#state === 'closed') this.#record(failed);
    }
  }

  #record(failed: boolean): void {
    this.#failures = failed ? this.#failures + 1 : 0;
    if (this.#failures >= FAILURE_THRESHOLD) {
      this.#openedAt = this.clock.now();
      this.#changeState('open');
    } else this.#changeState('closed');
  }

  #changeState(state: CircuitStateName): void {
    if (state === this.#state) return;
    this.#state = state;
    this.observer?.circuitStateChanged(state);
  }
}
