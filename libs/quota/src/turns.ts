import type { Clock } from './clock.js';
import type { QuotaObserver } from './quota.js';
import { QuotaClosed, QuotaExhausted, QuotaUnavailable, ShareExhausted } from './refusals.js';
import type { Refusal, Slot, SlotSource } from './slot-source.js';
import { type PendingCall, type QueueEntry, WaitingLine } from './waiting-line.js';

const REFUSALS = {
  quota: QuotaExhausted,
  queue: QuotaExhausted,
  share: ShareExhausted,
  unavailable: QuotaUnavailable,
} as const;

export interface TurnsOptions {
  clock: Clock;
  /** How many entries the queue may have. */
  queueLimit: number;
  observer: QuotaObserver | undefined;
}

/** Serves those who wait: the callers take turns, and whoever cannot be served in time is rejected. */
export class Turns {
  readonly line = new WaitingLine();
  readonly #slots: SlotSource;
  readonly #options: TurnsOptions;
  #serving = false;
  #again = false;
  #isClosed = false;
  /** When those who wait are next to be served. */
  #serveAt = Infinity;
  #cancelTimer: (() => void) | undefined;

  constructor(slots: SlotSource, options: TurnsOptions) {
    this.#slots = slots;
    this.#options = options;
  }

  /** Whether somebody is being served just now, or should be, and only the timer is not there yet. */
  servingAt(now: number): boolean {
    return this.#serving || this.#serveAt <= now;
  }

  /** Lets a call have its turn. */
  add(call: PendingCall): void {
    if (this.#isClosed) return call.reject(new QuotaClosed());
    this.line.add(call);
    void this.serve();
  }

  /** Puts an entry into the queue that is never served. */
  reserve(entry: QueueEntry): void {
    if (this.#isClosed) return entry.reject(new QuotaClosed());
    if (!this.#makeRoomFor(entry)) return;
    this.line.reserve(entry);
    this.#setTimer();
  }

  /** Takes a reservation out. @returns whether it was still there */
  cancelReservation(entry: QueueEntry): boolean {
    const wasThere = this.line.remove(entry);
    if (this.line.length === 0) this.#setTimer();
    return wasThere;
  }

  /** Rejects all who wait, and whoever comes later. */
  close(): void {
    this.#isClosed = true;
    for (const entry of [...this.line, ...this.line.reservations]) {
      this.line.remove(entry);
      entry.reject(new QuotaClosed());
    }
    this.#setTimer();
  }

  /** Goes round the callers until nobody is served any more, and sleeps until the next thing to do: one timer in all. */
  async serve(): Promise<void> {
    if (this.#serving) {
      this.#again = true;
      return;
    }
    this.#serving = true;
    do {
      this.#again = false;
      await this.#round();
    } while (this.#again);
    this.#serving = false;
    this.#setTimer();
  }

  async #round(): Promise<void> {
    const refused = new Set<string>();
    for (let caller = this.line.next(refused); caller !== undefined; caller = this.line.next(refused)) {
      // One look at the clock: between two, a wait could end that would have been served.
      const now = this.#options.clock.now();
      const taken = this.#slots.take(this.line.ask(caller), now);
      // Slots of this process answer at once, and so does the quota then: a promise would let others in between.
      const answer = taken instanceof Promise ? await taken : taken;
      if ('slot' in answer) this.#grant(caller, answer.slot);
      else {
        refused.add(caller);
        this.#settle(caller, answer.refused, now);
      }
    }
  }

  #grant(caller: string, slot: Slot): void {
    const call = this.line.shift(caller);
    if (!call) return slot.release('unused');
    this.#options.observer?.granted(call.canBeServed ? this.#options.clock.now() - call.requestedAt : 0);
    call.grant(slot);
  }

  /** Lets those of this caller wait who may, and rejects the others. */
  #settle(caller: string, why: Refusal, now: number): void {
    let behind = 0;
    for (const call of this.line.of(caller).slice()) {
      call.canBeServed = why !== 'unavailable' && this.#canWait(call, behind, now);
      if (!call.canBeServed) this.#reject(call, why);
      else if (call.queued || this.#enqueue(call)) behind += 1;
    }
  }

  #canWait(call: PendingCall, behind: number, now: number): boolean {
    const deadline = this.#deadlineOf(call);
    if (call.canBeServed || deadline <= now) return deadline > now;
    return this.#slots.earliest(this.line.turnOf(call.caller, behind), now) <= deadline;
  }

  #deadlineOf({ deadline }: QueueEntry): number {
    return Math.max(deadline, this.#slots.openAt);
  }

  #enqueue(call: PendingCall): boolean {
    const hasRoom = this.#makeRoomFor(call);
    if (hasRoom) this.line.enqueue(call);
    return hasRoom;
  }

  /**
   * When the queue is full, the caller with the most entries loses its last one.
   *
   * @returns false when that is this entry, which is rejected
   */
  #makeRoomFor(entry: QueueEntry): boolean {
    if (this.line.length < this.#options.queueLimit) return true;
    const longest = this.line.longest();
    const isLast = longest.length <= this.line.lengthOf(entry.caller) + 1;
    this.#reject(isLast ? entry : longest.at(-1)!, 'queue');
    return !isLast;
  }

  #reject(entry: QueueEntry, why: Refusal | 'queue'): void {
    const now = this.#options.clock.now();
    const calls = this.line.of(entry.caller);
    const index = calls.findIndex((call) => call === entry);
    this.line.remove(entry);
    this.#options.observer?.refused(why);
    // A call in place of a reservation would stand behind all calls of its caller.
    const behind = index === -1 ? calls.length : index;
    const earliest = this.#slots.earliest(this.line.turnOf(entry.caller, behind), now);
    entry.reject(new REFUSALS[why](earliest - now));
  }

  /** The one timer, for whatever comes first. */
  #setTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#serveAt = Infinity;
    if (this.#serving || (this.line.empty && this.line.length === 0)) return;
    const now = this.#options.clock.now();
    if (!this.line.empty) this.#serveAt = this.#slots.nextChange(now);
    for (const call of this.line) this.#serveAt = Math.min(this.#serveAt, this.#deadlineOf(call));
    let timerAt = this.#serveAt;
    for (const entry of this.line.reservations) timerAt = Math.min(timerAt, this.#deadlineOf(entry));
    this.#cancelTimer = this.#options.clock.wakeIn(Math.max(0, timerAt - now), () => this.#onTimer());
  }

  #onTimer(): void {
    const now = this.#options.clock.now();
    if (now >= this.#serveAt) return void this.serve();
    // Not while or right after a pass serves somebody: a call that is granted a slot may release reservations.
    if (this.#serving) return;
    for (const entry of Array.from(this.line.reservations))
      if (this.#deadlineOf(entry) <= now) this.#reject(entry, 'quota');
    this.#setTimer();
  }
}
