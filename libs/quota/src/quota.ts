import type { Clock } from './clock.js';
import type { Rejection, Slot, SlotPool } from './slot-pool.js';
import { LocalSlotPool } from './local/local-slot-pool.js';
import { SharedSlotPool } from './shared/shared-slot-pool.js';
import type { SlotStore } from './shared/slot-store.js';
import { STARTUP_DELAY_MS } from './timing.js';
import type { QuotaObserver } from './observer.js';
import { Dispatcher } from './queue/dispatcher.js';
import type { QueueEntry } from './queue/fair-queue.js';

export interface QuotaOptions {
  /** How many upstream calls may arrive in any one second. */
  perSecond: number;
  clock: Clock;
  /** How many entries the queue can hold. Default: 200. */
  queueLimit?: number;
  observer?: Partial<QuotaObserver>;
  /** Shares the slots with all replicas that use the same store. Default: the slots are in this process. */
  store?: SlotStore;
}

export interface AcquireOptions {
  /** Callers share the slots fairly. Default: one caller for all calls without a name. */
  caller?: string;
  /** How long the call may wait for a slot, in milliseconds. Default 0: it does not wait. */
  waitMs?: number;
  /**
   * Returns a signal that ends the wait: the promise rejects with the reason of the signal, and no slot is acquired.
   * It is called only if the call has to wait, because a signal can cost more to create than a slot.
   */
  signal?: () => AbortSignal;
  /**
   * For calls that are tried regularly until they get a slot. They come after all other calls of their caller: they
   * leave free as many slots as these calls needed in the last seconds. Their rejections are not reported. Default: false.
   */
  isBackground?: boolean;
}

/** A queue entry that is never served. */
export interface QueueReservation {
  /**
   * Rejects with an error of {@link Quota.acquire}: QuotaExhaustedError, QuotaClosedError or the reason of the signal.
   * Never settles after a release. A rejection may be left unhandled.
   */
  readonly rejected: Promise<never>;
  /** Removes the entry from the queue. */
  release(): void;
}

/** The state of the quota at one moment. */
export interface QuotaState {
  /** How many slots exist now; less than the configured number after throttling, or without the slot store. */
  capacity: number;
  free: number;
  /** How many slots are leased. During the startup delay no slot is free and none is leased. */
  inUse: number;
  /** How many entries the queue has: calls that wait for a slot, and reservations. */
  queueLength: number;
  /** Milliseconds before which no slot can become free in addition to the free ones; 0 if all slots are free. */
  nextFreeInMs: number;
}

const DEFAULT_QUEUE_LIMIT = 200;
const DEFAULT_CALLER = 'default';

/**
 * Limits upstream calls so that at most `perSecond` of them arrive in any one second.
 *
 * There are `perSecond` slots. A call acquires a slot before it is sent and holds it until one second after its
 * response arrived. A new process grants no slot in its first 1.5 seconds, because its predecessor may have used all
 * slots right before it ended.
 *
 * @example
 * const quota = new Quota({ perSecond: 20, clock });
 * const slot = await quota.acquire({ caller: 'billing', waitMs: 2000 });
 * const reason = await send(); // 'completed', 'throttled', 'abandoned' or 'unused'
 * slot.release(reason);
 *
 * @see ../../../docs/adr/0001-slots.md for the proof
 */
export class Quota {
  readonly #clock: Clock;
  readonly #pool: SlotPool;
  readonly #dispatcher: Dispatcher;

  constructor({ perSecond, clock, queueLimit = DEFAULT_QUEUE_LIMIT, observer = {}, store }: QuotaOptions) {
    this.#clock = clock;
    const onChange = (): void => void this.#dispatcher.dispatch();
    const availableFrom = clock.now() + STARTUP_DELAY_MS;
    const options = { perSecond, clock, availableFrom, onChange, observer };
    this.#pool = store ? new SharedSlotPool(options, store) : new LocalSlotPool(options);
    this.#dispatcher = new Dispatcher(this.#pool, { clock, queueLimit, observer });
  }

  /**
   * Acquires one slot. If none is free, the call waits for up to `waitMs`. During the startup delay every call waits
   * until the delay ends, even if its `waitMs` is less.
   *
   * @throws QuotaExhaustedError if no slot can be free within the wait, or if the queue is full. The call is rejected
   *   at once, not at the end of its wait.
   * @throws ShareExhaustedError if no slot can be free within the wait because the caller uses its fair share
   * @throws QuotaUnavailableError if the slot store is unavailable and this replica has no fallback slots
   * @throws QuotaClosedError if the quota is closed
   * @throws the reason of the signal if it is aborted while the call waits
   */
  async acquire(options: AcquireOptions = {}): Promise<Slot> {
    const { promise, resolve: grant, reject } = Promise.withResolvers<Slot>();
    const call = { ...this.#createEntry(options, reject), canBeServed: false, grant };
    this.#dispatcher.add(call);
    const stopListening = this.#rejectOnAbort(call, options.signal);
    try {
      return await promise;
    } finally {
      stopListening();
    }
  }

  /**
   * Adds a queue entry for a call that waits for the slot of another call. The entry counts against the queue limit. It
   * is rejected when the queue is full, when its wait ends, or when the quota closes. It is never granted a slot and
   * does not count as demand.
   *
   * The wait ends in a later macrotask, and not while slots are granted. So the other call can get its slot first.
   */
  reserveQueueEntry(options: AcquireOptions = {}): QueueReservation {
    const { promise: rejected, reject } = Promise.withResolvers<never>();
    const entry = this.#createEntry(options, reject);
    this.#dispatcher.reserve(entry);
    const stopListening = this.#rejectOnAbort(entry, options.signal);
    rejected.catch(stopListening);
    const release = (): void => {
      stopListening();
      this.#dispatcher.remove(entry);
    };
    return { rejected, release };
  }

  /**
   * Rejects a call that may not wait if {@link acquire} would reject it, with the same result and the same effects.
   * It creates no promise and no error, and makes no pass over the queue. So a flood costs much less.
   *
   * @returns undefined, without any effect, if `acquire` would grant a slot or if only `acquire` can decide
   */
  rejectIfExhausted(caller: string = DEFAULT_CALLER): Rejection | undefined {
    return this.#dispatcher.rejectIfExhausted(caller);
  }

  /** Returns the current state. It sends no command to the slot store. */
  state(): QuotaState {
    const now = this.#clock.now();
    const free = this.#pool.free(now);
    const capacity = this.#pool.capacity(now);
    const nextFreeInMs = free >= capacity ? 0 : this.#pool.earliestGrantAt(free, now) - now;
    const inUse = this.#pool.inUse(now);
    return { capacity, free, inUse, queueLength: this.#dispatcher.queue.queued.size, nextFreeInMs };
  }

  /** Whether slots have ever been available: without a slot store always, with one after the first registration there. */
  get hasReachedStore(): boolean {
    return this.#pool.hasReachedStore;
  }

  /** Rejects all entries of the queue and every later call with QuotaClosedError, and closes the slot store. */
  async close(): Promise<void> {
    this.#dispatcher.close();
    await this.#pool.close();
  }

  #createEntry(
    { caller = DEFAULT_CALLER, waitMs = 0, isBackground = false }: AcquireOptions,
    reject: (error: Error) => void,
  ): QueueEntry {
    const requestedAt = this.#clock.now();
    return { caller, requestedAt, deadline: requestedAt + waitMs, isBackground, reject };
  }

  /** Rejects a waiting entry when its signal is aborted. The returned function ends that. */
  #rejectOnAbort(entry: QueueEntry, signal: AcquireOptions['signal']): () => void {
    if (!signal || !this.#dispatcher.queue.has(entry)) return () => {};
    const abortSignal = signal();
    const onAbort = (): void => {
      if (this.#dispatcher.remove(entry)) entry.reject(abortSignal.reason as Error);
    };
    abortSignal.addEventListener('abort', onAbort);
    if (abortSignal.aborted) onAbort();
    return () => abortSignal.removeEventListener('abort', onAbort);
  }
}
