import type { Clock } from './clock.js';
import type { Slot, SlotPool, SlotPoolListener } from './slot-pool.js';
import { LocalSlotPool } from './local/local-slot-pool.js';
import { STARTUP_DELAY_MS } from './timing.js';
import type { QuotaObserver } from './observer.js';
import { Dispatcher } from './queue/dispatcher.js';
import type { QueueEntry } from './queue/fair-queue.js';

export interface QuotaOptions {
  /** Upstream calls that may arrive in any one second. */
  perSecond: number;
  clock: Clock;
  /** How many calls may wait at once; default 200. */
  queueLimit?: number;
  observer?: QuotaObserver;
  /** Where the slots come from; default: this process alone. */
  createPool?: (listener: SlotPoolListener) => SlotPool;
}

export interface AcquireOptions {
  /** Who asks: callers share the slots fairly. Default: everybody is one caller. */
  caller?: string;
  /** How long this call may wait for a slot, in milliseconds; default 0: now or never. */
  waitMs?: number;
  /**
   * Ends the wait; the promise rejects with the signal's reason and no slot is acquired. Asked for only when the call
   * has to wait, because making one can cost more than a slot.
   */
  signal?: () => AbortSignal;
}

/** An entry of the queue that is never served. */
export interface QueueReservation {
  /**
   * Rejects with the error with which {@link Quota.acquire} would reject: QuotaExhaustedError, QuotaClosedError or the reason of
   * the signal. Never settles after a release. It may be left unhandled.
   */
  readonly rejected: Promise<never>;
  /** Takes the entry out of the queue. */
  release(): void;
}

/** How the quota stands at this moment. */
export interface QuotaState {
  /** Slots there are now. */
  capacity: number;
  free: number;
  /** Slots that are leased. Before the first slot may be lent, none is free and none is leased. */
  inUse: number;
  /** Entries of the queue: calls that wait for a slot, and reservations. */
  queueLength: number;
  /** Milliseconds before which no slot more than the free ones can free; 0 when all are free. */
  nextFreeInMs: number;
}

/** As QuotaExhaustedError or ShareExhaustedError would say it. */
export interface Rejection {
  readonly reason: 'quota' | 'share';
  /** Milliseconds before which no slot can free for one more call. */
  readonly retryAfterMs: number;
}

const DEFAULT_QUEUE_LIMIT = 200;
const DEFAULT_CALLER = 'default';

/** Lends slots to calls, fairly among callers, and lets calls wait for one. */
export class Quota {
  readonly #clock: Clock;
  readonly #pool: SlotPool;
  readonly #observer: QuotaObserver | undefined;
  readonly #dispatcher: Dispatcher;

  constructor({ perSecond, clock, queueLimit = DEFAULT_QUEUE_LIMIT, observer, createPool }: QuotaOptions) {
    this.#clock = clock;
    this.#observer = observer;
    const listener: SlotPoolListener = {
      changed: () => void this.#dispatcher.dispatch(),
      reduced: (slots) => observer?.reduced(slots),
    };
    const localOptions = {
      capacity: perSecond,
      clock,
      availableFrom: clock.now() + STARTUP_DELAY_MS,
      listener,
    };
    this.#pool = createPool ? createPool(listener) : new LocalSlotPool(localOptions);
    this.#dispatcher = new Dispatcher(this.#pool, { clock, queueLimit, observer });
  }

  /**
   * Acquires one slot, waiting for it as long as allowed. In the first moments of the process's life every call
   * waits for the hold after start, whatever it allows.
   *
   * @throws QuotaExhaustedError when the wait cannot be met, at once rather than at its end, or too many calls wait
   * @throws ShareExhaustedError when it cannot be met because the caller uses its fair share
   * @throws QuotaUnavailableError when the slots' store is out of reach and this process has none of its own to lend
   * @throws QuotaClosedError when the quota is closed
   * @throws the signal's reason when it has to wait, and the signal is aborted first
   */
  async acquire({ caller = DEFAULT_CALLER, waitMs = 0, signal }: AcquireOptions = {}): Promise<Slot> {
    const { promise, resolve: grant, reject } = Promise.withResolvers<Slot>();
    const requestedAt = this.#clock.now();
    const deadline = requestedAt + waitMs;
    const call = { caller, requestedAt, deadline, queued: false, canBeServed: false, grant, reject };
    this.#dispatcher.add(call);
    if (!signal || !this.#dispatcher.queue.entriesOf(caller).includes(call)) return await promise;
    const abortSignal = signal();
    const onAbort = (): void => {
      if (this.#dispatcher.queue.remove(call)) reject(abortSignal.reason as Error);
      void this.#dispatcher.dispatch();
    };
    abortSignal.addEventListener('abort', onAbort);
    if (abortSignal.aborted) onAbort();
    try {
      return await promise;
    } finally {
      abortSignal.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Counts a call as waiting that waits for the slot of another one: it takes up an entry of the queue, and is rejected
   * like a call that waits for a slot of its own, when the queue is full, when its wait is over, or on close. It is
   * never granted a slot, and does not count as demand. Its wait ends at the earliest in the next macrotask, and not
   * while slots are being granted: then the call that it depends on may be granted its slot in time.
   */
  reserveQueueEntry({ caller = DEFAULT_CALLER, waitMs = 0, signal }: AcquireOptions = {}): QueueReservation {
    const { promise: rejected, reject } = Promise.withResolvers<never>();
    rejected.catch(() => {});
    const requestedAt = this.#clock.now();
    const left = new AbortController();
    const entry: QueueEntry = {
      caller,
      requestedAt,
      deadline: requestedAt + waitMs,
      reject: (error) => {
        left.abort();
        reject(error);
      },
    };
    this.#dispatcher.reserve(entry);
    const release = (): boolean => {
      left.abort();
      return this.#dispatcher.cancelReservation(entry);
    };
    if (signal && !left.signal.aborted) {
      const abortSignal = signal();
      const onAbort = (): void => {
        if (release()) reject(abortSignal.reason as Error);
      };
      abortSignal.addEventListener('abort', onAbort, { signal: left.signal });
      if (abortSignal.aborted) onAbort();
    }
    return { rejected, release };
  }

  /**
   * Rejects a call that may not wait where {@link acquire} would, in the same way, but without a promise and an error
   * built for it, and without asking again for those who wait: a flood is rejected at a fraction of the cost.
   *
   * @returns undefined, and nothing has happened, where only `acquire` can tell
   */
  rejectIfExhausted(caller: string = DEFAULT_CALLER): Rejection | undefined {
    const now = this.#clock.now();
    if (this.#dispatcher.isDispatchDue(now) || now < this.#pool.availableFrom) return undefined;
    const waiting = this.#dispatcher.queue.entriesOf(caller).length;
    const reason = this.#pool.rejection({ caller, newCalls: 1, pendingCalls: waiting + 1 }, now);
    if (reason === undefined) return undefined;
    this.#observer?.rejected(reason);
    const earliest = this.#pool.earliestGrantAt(this.#dispatcher.queue.positionOf(caller, waiting), now);
    return { reason, retryAfterMs: earliest - now };
  }

  state(): QuotaState {
    const now = this.#clock.now();
    const free = this.#pool.free(now);
    const capacity = this.#pool.capacity(now);
    const nextFreeInMs = free >= capacity ? 0 : this.#pool.earliestGrantAt(free, now) - now;
    const inUse = this.#pool.inUse(now);
    return { capacity, free, inUse, queueLength: this.#dispatcher.queue.length, nextFreeInMs };
  }

  /** Refuses whoever waits, with {@link QuotaClosedError}, and ends what runs by itself. */
  async close(): Promise<void> {
    this.#dispatcher.close();
    await this.#pool.close();
  }
}
