import type { Clock } from '../clock.js';
import type { QuotaObserver } from '../observer.js';
import {
  QuotaClosedError,
  QuotaExhaustedError,
  QuotaUnavailableError,
  ShareExhaustedError,
} from '../errors.js';
import type { AcquireRequest, Rejection, RejectionReason, Slot, SlotPool } from '../slot-pool.js';
import { type PendingCall, type QueueEntry, FairQueue } from './fair-queue.js';

const REJECTION_ERRORS = {
  quota: QuotaExhaustedError,
  queue: QuotaExhaustedError,
  share: ShareExhaustedError,
  unavailable: QuotaUnavailableError,
} as const;

export interface DispatcherOptions {
  clock: Clock;
  /** How many entries the queue can hold. */
  queueLimit: number;
  observer: Partial<QuotaObserver>;
}

/**
 * Grants slots to pending calls in the order of the {@link FairQueue}, and rejects the calls that cannot get one before
 * their deadline. It makes a pass over all callers when a call arrives, when the pool changes, and when its timer fires.
 */
export class Dispatcher {
  readonly queue = new FairQueue();
  readonly #pool: SlotPool;
  readonly #options: DispatcherOptions;
  #isDispatching = false;
  #passAgain = false;
  #isClosed = false;
  /** When the next pass is due. */
  #nextPassAt = Infinity;
  #cancelTimer: (() => void) | undefined;

  constructor(pool: SlotPool, options: DispatcherOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  /** Adds a call. It is granted a slot, queued or rejected; for a local pool, before this method returns. */
  add(call: PendingCall): void {
    if (this.#isClosed) return call.reject(new QuotaClosedError());
    this.queue.add(call);
    void this.dispatch();
  }

  /** Adds a queue entry that is never served. */
  reserve(entry: QueueEntry): void {
    if (this.#isClosed) return entry.reject(new QuotaClosedError());
    if (this.#enqueue(entry)) this.#setTimer();
  }

  /** Removes a call or a reservation. Returns whether it was present. */
  remove(entry: QueueEntry): boolean {
    const wasPresent = this.queue.remove(entry);
    if (this.queue.queued.size === 0) this.#setTimer();
    return wasPresent;
  }

  /** Rejects a new call that may not wait, as {@link add} would. Returns undefined if only `add` can decide. */
  rejectIfExhausted(caller: string): Rejection | undefined {
    const now = this.#options.clock.now();
    if (this.#isDispatching || this.#nextPassAt <= now || now < this.#pool.availableFrom) return undefined;
    const callsAhead = this.queue.callsOf(caller).length;
    const reason = this.#pool.rejection({ caller, newCalls: 1, pendingCalls: callsAhead + 1 }, now);
    if (reason === undefined) return undefined;
    this.#options.observer.rejected?.(reason);
    return { reason, retryAfterMs: this.#earliestGrantAt(caller, callsAhead, now) - now };
  }

  /** Rejects all entries, and every later one. */
  close(): void {
    this.#isClosed = true;
    for (const entry of [...this.queue, ...this.queue.reservations]) {
      this.queue.remove(entry);
      entry.reject(new QuotaClosedError());
    }
    this.#setTimer();
  }

  /** Makes passes until no call can be served, and sets the timer for the next one. One dispatch runs at a time. */
  async dispatch(): Promise<void> {
    if (this.#isDispatching) {
      this.#passAgain = true;
      return;
    }
    this.#isDispatching = true;
    do {
      this.#passAgain = false;
      await this.#pass();
    } while (this.#passAgain);
    this.#isDispatching = false;
    this.#setTimer();
  }

  async #pass(): Promise<void> {
    const rejected = new Set<string>();
    const next = (): AcquireRequest | undefined => this.queue.nextRequest(rejected);
    for (let request = next(); request; request = next()) {
      const { caller } = request;
      // Read the clock once: between two readings, the wait of a call could end that would have been served.
      const now = this.#options.clock.now();
      const acquiring = this.#pool.acquire(request, now);
      // A local pool decides synchronously. Without `await`, no other call can run in between.
      const result = acquiring instanceof Promise ? await acquiring : acquiring;
      if ('slot' in result) this.#grant(caller, result.slot);
      else {
        rejected.add(caller);
        this.#queueOrReject(caller, result.rejected, now);
      }
    }
  }

  #grant(caller: string, slot: Slot): void {
    const call = this.queue.dequeue(caller);
    if (!call) return slot.release('unused');
    this.#options.observer.granted?.(call.canBeServed ? this.#options.clock.now() - call.requestedAt : 0);
    call.grant(slot);
  }

  /** Queues the calls of a caller that can be served before their deadline, and rejects the others. */
  #queueOrReject(caller: string, reason: RejectionReason, now: number): void {
    let callsAhead = 0;
    for (const call of this.queue.callsOf(caller).slice()) {
      call.canBeServed = reason !== 'unavailable' && this.#canWait(call, callsAhead, now);
      if (!call.canBeServed) this.#reject(call, reason);
      else if (this.queue.queued.has(call) || this.#enqueue(call)) callsAhead += 1;
    }
  }

  #canWait(call: PendingCall, callsAhead: number, now: number): boolean {
    const deadline = this.#deadlineOf(call);
    if (call.canBeServed || deadline <= now) return deadline > now;
    return this.#earliestGrantAt(call.caller, callsAhead, now) <= deadline;
  }

  #deadlineOf({ deadline }: QueueEntry): number {
    return Math.max(deadline, this.#pool.availableFrom);
  }

  /** Returns when a call that has `callsAhead` calls of its own caller ahead can get a slot. */
  #earliestGrantAt(caller: string, callsAhead: number, now: number): number {
    return this.#pool.earliestGrantAt(this.queue.positionOf(caller, callsAhead), now);
  }

  /** Queues an entry. If the queue is too long, rejects the last entry of the caller with the most entries. */
  #enqueue(entry: QueueEntry): boolean {
    this.queue.enqueue(entry);
    if (this.queue.queued.size > this.#options.queueLimit)
      this.#reject(this.queue.lastOfLongest(entry.caller), 'queue');
    return this.queue.queued.has(entry);
  }

  #reject(entry: QueueEntry, reason: RejectionReason | 'queue'): void {
    const now = this.#options.clock.now();
    const index = this.queue.indexOf(entry);
    this.queue.remove(entry);
    if (!entry.isBackground) this.#options.observer.rejected?.(reason);
    // A call in place of a reservation would come after all calls of its caller.
    const callsAhead = index === -1 ? this.queue.callsOf(entry.caller).length : index;
    const retryAfterMs = this.#earliestGrantAt(entry.caller, callsAhead, now) - now;
    entry.reject(new REJECTION_ERRORS[reason](retryAfterMs));
  }

  /** Sets the one timer for the next pass or the next deadline, whichever is first. */
  #setTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#nextPassAt = Infinity;
    if (this.#isDispatching || (!this.queue.hasPendingCalls && this.queue.queued.size === 0)) return;
    const now = this.#options.clock.now();
    if (this.queue.hasPendingCalls) this.#nextPassAt = this.#pool.nextChangeAt(now);
    for (const call of this.queue) this.#nextPassAt = Math.min(this.#nextPassAt, this.#deadlineOf(call));
    let timerAt = this.#nextPassAt;
    for (const entry of this.queue.queued) timerAt = Math.min(timerAt, this.#deadlineOf(entry));
    this.#cancelTimer = this.#options.clock.setTimer(Math.max(0, timerAt - now), () => this.#onTimer());
  }

  #onTimer(): void {
    const now = this.#options.clock.now();
    if (now >= this.#nextPassAt) return void this.dispatch();
    // Not during a pass: a call that is granted a slot may release reservations.
    if (this.#isDispatching) return;
    for (const entry of this.queue.reservations)
      if (this.#deadlineOf(entry) <= now) this.#reject(entry, 'quota');
    this.#setTimer();
  }
}
