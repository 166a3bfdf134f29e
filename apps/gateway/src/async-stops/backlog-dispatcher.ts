import type { Quota, Slot } from '#libs/quota';
import type { ExecutionResult, StopExecutor } from './stop-executor.js';
import type { StopStore, TakenStop } from './stop-store.js';

/** How often a caller is asked again that has pending stops, none of which can be executed now. */
const POLL_INTERVAL_MS = 1000;

const MIN_RETRY_MS = 2;

/** The delay after a slot was acquired for nothing, and while all free slots are reserved for other calls. */
const DEFAULT_RETRY_MS = 100;

export interface BacklogDispatcherOptions {
  readonly quota: Pick<Quota, 'acquire'>;
  readonly store: Pick<StopStore, 'nextDueAt' | 'take'>;
  readonly executor: Pick<StopExecutor, 'execute' | 'expire' | 'isExpired'>;
  /** Milliseconds of a monotonic clock, and timers. */
  readonly clock: { now(): number; setTimer(ms: number, callback: () => void): () => void };
  /** Milliseconds of the wall clock. */
  readonly wallClockMs: () => number;
  /** Whether this process takes no more stops. */
  readonly isDraining: () => boolean;
  /** Called with each execution, which holds the process open while it is in flight. */
  readonly track: (execution: Promise<unknown>) => void;
}

/**
 * Executes the pending stops of all callers by turns. If the next caller has a stop that is due, it acquires a slot
 * without waiting, and then takes the stop. So a stop is never taken without a slot, and the number of slots limits how
 * many are executed at once.
 */
export class BacklogDispatcher {
  /** The callers with pending stops, the next one first, and when each can be tried again. */
  readonly #notBefore = new Map<string, number>();
  /**
   * The callers that had no stop to take when they were last asked, or are being asked. A new stop ends their delay, but
   * not one that the quota demands.
   */
  readonly #drained = new Set<string>();
  #pausedUntil = 0;
  /** After a pause, one execution at a time shows whether it is over. */
  #isProbing = false;
  #inFlight = 0;
  #isStopped = false;
  #wake: () => void = () => {};

  constructor(private readonly options: BacklogDispatcherOptions) {}

  /** Runs until {@link stop}, or until this process is draining. Executions in flight continue. */
  async run(): Promise<void> {
    while (!this.#isStopped && !this.options.isDraining()) {
      const waitMs = this.#waitMs();
      if (waitMs > 0) await this.#sleep(waitMs);
      else await this.#serveNext();
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  /** A caller has a new stop. */
  added(caller: string): void {
    if (this.#drained.delete(caller) || !this.#notBefore.has(caller)) this.#notBefore.set(caller, 0);
    this.#wake();
  }

  /** Sets the callers that have pending stops. */
  setCallers(callers: readonly string[]): void {
    const present = new Set(callers);
    for (const caller of this.#notBefore.keys()) {
      if (present.has(caller)) continue;
      this.#notBefore.delete(caller);
      this.#drained.delete(caller);
    }
    for (const caller of callers) if (!this.#notBefore.has(caller)) this.#notBefore.set(caller, 0);
    this.#wake();
  }

  /** Returns how long nothing can be done; 0 if a caller can be served. */
  #waitMs(): number {
    const now = this.options.clock.now();
    if (this.#isProbing && this.#inFlight > 0) return POLL_INTERVAL_MS;
    const next = Math.max(this.#pausedUntil, Math.min(...this.#notBefore.values()));
    return Math.min(next - now, POLL_INTERVAL_MS);
  }

  async #serveNext(): Promise<void> {
    const now = this.options.clock.now();
    for (const [caller, notBefore] of this.#notBefore) {
      if (notBefore > now) continue;
      // To the end: the other callers come first next time.
      this.#notBefore.delete(caller);
      this.#notBefore.set(caller, notBefore);
      return this.#serve(caller);
    }
  }

  async #serve(caller: string): Promise<void> {
    this.#drained.add(caller);
    try {
      // Without a stop that is due, the caller demands no slot: the quota would keep a share for it.
      const dueInMs = (await this.options.store.nextDueAt(caller)) - this.options.wallClockMs();
      // Unless a stop has been added in the meantime.
      if (dueInMs > 0) return this.#drained.has(caller) ? this.#delay(caller, dueInMs) : undefined;
      this.#drained.delete(caller);
      const slot = await this.#acquire(caller);
      if (slot) await this.#take(caller, slot);
    } catch {
      // Redis is unavailable.
      this.#foundNothing(caller, POLL_INTERVAL_MS);
    }
  }

  async #acquire(caller: string): Promise<Slot | undefined> {
    try {
      return await this.options.quota.acquire({ caller, isBackground: true });
    } catch (error) {
      const { retryAfterMs = POLL_INTERVAL_MS } = error as { retryAfterMs?: number };
      this.#delay(caller, retryAfterMs > 0 ? retryAfterMs : DEFAULT_RETRY_MS);
      return undefined;
    }
  }

  async #take(caller: string, slot: Slot): Promise<void> {
    let taken: TakenStop | undefined;
    try {
      taken = await this.options.store.take(caller);
    } finally {
      if (!taken) slot.release('unused');
    }
    // Another replica was faster, or the data was not valid.
    if (!taken) return this.#foundNothing(caller, DEFAULT_RETRY_MS);
    this.#inFlight += 1;
    this.options.track(this.#execute(taken, slot));
  }

  #foundNothing(caller: string, retryInMs: number): void {
    this.#drained.add(caller);
    this.#delay(caller, retryInMs);
  }

  #delay(caller: string, ms: number): void {
    const delayMs = Math.min(POLL_INTERVAL_MS, Math.max(MIN_RETRY_MS, ms));
    if (this.#notBefore.has(caller)) this.#notBefore.set(caller, this.options.clock.now() + delayMs);
  }

  async #execute(stop: TakenStop, slot: Slot): Promise<void> {
    const { executor, clock } = this.options;
    let result: ExecutionResult = {};
    try {
      if (executor.isExpired(stop)) {
        slot.release('unused');
        await executor.expire(stop);
      } else result = await executor.execute(stop, slot);
    } finally {
      this.#inFlight -= 1;
    }
    const { pauseMs } = result;
    if (pauseMs !== undefined) this.#pausedUntil = clock.now() + pauseMs;
    this.#isProbing = pauseMs !== undefined;
    this.#wake();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.options.clock.setTimer(ms, () => this.#wake());
      this.#wake = () => {
        cancel();
        this.#wake = () => {};
        resolve();
      };
    });
  }
}
