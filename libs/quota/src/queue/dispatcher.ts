import type { Clock } from '../clock.js';
import type { QuotaObserver } from '../observer.js';
import {
  QuotaClosedError,
  QuotaExhaustedError,
  QuotaUnavailableError,
  ShareExhaustedError,
} from '../errors.js';
import type { RejectionReason, Slot, SlotPool } from '../slot-pool.js';
import { type PendingCall, type QueueEntry, FairQueue } from './fair-queue.js';

const REJECTION_ERRORS = {
  quota: QuotaExhaustedError,
  queue: QuotaExhaustedError,
  share: ShareExhaustedError,
  unavailable: QuotaUnavailableError,
} as const;

export interface DispatcherOptions {
  clock: Clock;
  /** How many entries the queue may have. */
  queueLimit: number;
  observer: QuotaObserver | undefined;
}

/** Serves those who wait: the callers take turns, and whoever cannot be served in time is rejected. */
export class Dispatcher {
  readonly queue = new FairQueue();
  readonly #pool: SlotPool;
  readonly #options: DispatcherOptions;
  #isDispatching = false;
  #passAgain = false;
  #isClosed = false;
  /** When those who wait are next to be served. */
  #serveAt = Infinity;
  #cancelTimer: (() => void) | undefined;

  constructor(slots: SlotPool, options: DispatcherOptions) {
    this.#pool = slots;
    this.#options = options;
  }

  /** Whether somebody is being served just now, or should be, and only the timer is not there yet. */
  isDispatchDue(now: number): boolean {
    return this.#isDispatching || this.#serveAt <= now;
  }

  /** Lets a call have its turn. */
  add(call: PendingCall): void {
    if (this.#isClosed) return call.reject(new QuotaClosedError());
    this.queue.add(call);
    void this.dispatch();
  }

  /** Puts an entry into the queue that is never served. */
  reserve(entry: QueueEntry): void {
    if (this.#isClosed) return entry.reject(new QuotaClosedError());
    if (!this.#makeRoomFor(entry)) return;
    this.queue.reserve(entry);
    this.#setTimer();
  }

  /** Takes a reservation out. @returns whether it was still there */
  cancelReservation(entry: QueueEntry): boolean {
    const wasThere = this.queue.remove(entry);
    if (this.queue.length === 0) this.#setTimer();
    return wasThere;
  }

  /** Rejects all who wait, and whoever comes later. */
  close(): void {
    this.#isClosed = true;
    for (const entry of [...this.queue, ...this.queue.reservations]) {
      this.queue.remove(entry);
      entry.reject(new QuotaClosedError());
    }
    this.#setTimer();
  }

  /** Goes round the callers until nobody is served any more, and sleeps until the next thing to do: one timer in all. */
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
    for (
      let caller = this.queue.nextCaller(rejected);
      caller !== undefined;
      caller = this.queue.nextCaller(rejected)
    ) {
      // One look at the clock: between two, a wait could end that would have been served.
      const now = this.#options.clock.now();
      const acquiring = this.#pool.acquire(this.queue.takeRequest(caller), now);
      // Slots of this process answer at once, and so does the quota then: a promise would let others in between.
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
    this.#options.observer?.granted(call.canBeServed ? this.#options.clock.now() - call.requestedAt : 0);
    call.grant(slot);
  }

  /** Lets those of this caller wait who may, and rejects the others. */
  #queueOrReject(caller: string, reason: RejectionReason, now: number): void {
    let callsAhead = 0;
    for (const call of this.queue.entriesOf(caller).slice()) {
      call.canBeServed = reason !== 'unavailable' && this.#canWait(call, callsAhead, now);
      if (!call.canBeServed) this.#reject(call, reason);
      else if (call.queued || this.#enqueue(call)) callsAhead += 1;
    }
  }

  #canWait(call: PendingCall, callsAhead: number, now: number): boolean {
    const deadline = this.#deadlineOf(call);
    if (call.canBeServed || deadline <= now) return deadline > now;
    return this.#pool.earliestGrantAt(this.queue.positionOf(call.caller, callsAhead), now) <= deadline;
  }

  #deadlineOf({ deadline }: QueueEntry): number {
    return Math.max(deadline, this.#pool.availableFrom);
  }

  #enqueue(call: PendingCall): boolean {
    const hasRoom = this.#makeRoomFor(call);
    if (hasRoom) this.queue.enqueue(call);
    return hasRoom;
  }

  /**
   * When the queue is full, the caller with the most entries loses its last one.
   *
   * @returns false when that is this entry, which is rejected
   */
  #makeRoomFor(entry: QueueEntry): boolean {
    if (this.queue.length < this.#options.queueLimit) return true;
    const longestQueue = this.queue.longestQueue();
    const isLast = longestQueue.length <= this.queue.lengthOf(entry.caller) + 1;
    this.#reject(isLast ? entry : longestQueue.at(-1)!, 'queue');
    return !isLast;
  }

  #reject(entry: QueueEntry, reason: RejectionReason | 'queue'): void {
    const now = this.#options.clock.now();
    const calls = this.queue.entriesOf(entry.caller);
    const index = calls.findIndex((call) => call === entry);
    this.queue.remove(entry);
    this.#options.observer?.rejected(reason);
    // A call in place of a reservation would stand behind all calls of its caller.
    const callsAhead = index === -1 ? calls.length : index;
    const earliestGrantAt = this.#pool.earliestGrantAt(this.queue.positionOf(entry.caller, callsAhead), now);
    entry.reject(new REJECTION_ERRORS[reason](earliestGrantAt - now));
  }

  /** The one timer, for whatever comes first. */
  #setTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#serveAt = Infinity;
    if (this.#isDispatching || (this.queue.isEmpty && this.queue.length === 0)) return;
    const now = this.#options.clock.now();
    if (!this.queue.isEmpty) this.#serveAt = this.#pool.nextChangeAt(now);
    for (const call of this.queue) this.#serveAt = Math.min(this.#serveAt, this.#deadlineOf(call));
    let timerAt = this.#serveAt;
    for (const entry of this.queue.reservations) timerAt = Math.min(timerAt, this.#deadlineOf(entry));
    this.#cancelTimer = this.#options.clock.setTimer(Math.max(0, timerAt - now), () => this.#onTimer());
  }

  #onTimer(): void {
    const now = this.#options.clock.now();
    if (now >= this.#serveAt) return void this.dispatch();
    // Not while or right after a pass serves somebody: a call that is granted a slot may release reservations.
    if (this.#isDispatching) return;
    for (const entry of Array.from(this.queue.reservations))
      if (this.#deadlineOf(entry) <= now) this.#reject(entry, 'quota');
    this.#setTimer();
  }
}
