import type { Clock } from './clock.js';
import { QuotaClosed, QuotaExhausted, QuotaUnavailable, ShareExhausted } from './refusals.js';
import type { Refusal, Slot, SlotSource, SourceListener } from './slot-source.js';
import { Slots } from './slots.js';
import { HOLD_MS } from './timing.js';
import { WaitingLine } from './waiting-line.js';

export interface QuotaOptions {
  /** Upstream calls that may arrive in any one second. */
  perSecond: number;
  clock: Clock;
  /** How many calls may wait at once; default 200. */
  queueLimit?: number;
  observer?: QuotaObserver;
  /** Where the slots come from; default: this process alone. */
  source?: (listener: SourceListener) => SlotSource;
}

/** Is told what the quota decides, for metrics. */
export interface QuotaObserver {
  /** @param waitedMs 0 for a call that found a slot at once */
  granted(waitedMs: number): void;
  refused(why: Refusal | 'queue'): void;
  /** Somebody else uses the quota: only so many slots are left for now. */
  lowered(slots: number): void;
}

export interface TakeOptions {
  /** Who asks: callers share the slots fairly. Default: everybody is one caller. */
  caller?: string;
  /** How long this call may wait for a slot, in milliseconds; default 0: now or never. */
  waitMs?: number;
  /** Ends the wait; the promise rejects with the signal's reason and no slot is taken. */
  signal?: AbortSignal;
}

/** How the quota stands at this moment. */
export interface QuotaState {
  /** Slots there are now. */
  capacity: number;
  free: number;
  waiting: number;
  /** Milliseconds before which no slot more than the free ones can free; 0 when all are free. */
  nextFreeInMs: number;
}

interface Waiter {
  readonly caller: string;
  readonly asked: number;
  /** When its wait is over; whatever it allows, not before the hold after start. */
  readonly until: number;
  /** Whether it was refused a slot once and has a place among those who wait. */
  waiting: boolean;
  grant(slot: Slot): void;
  refuse(error: Error): void;
}

const QUEUE_LIMIT = 200;
const EVERYBODY = 'everybody';

const REFUSALS = {
  quota: QuotaExhausted,
  queue: QuotaExhausted,
  share: ShareExhausted,
  unavailable: QuotaUnavailable,
} as const;

/** Lends slots to calls, fairly among callers, and lets calls wait for one. */
export class Quota {
  readonly #clock: Clock;
  readonly #slots: SlotSource;
  readonly #observer: QuotaObserver | undefined;
  readonly #queueLimit: number;
  readonly #line = new WaitingLine<Waiter>();
  #waiting = 0;
  #serving = false;
  #again = false;
  #cancelWake: (() => void) | undefined;

  constructor({ perSecond, clock, queueLimit = QUEUE_LIMIT, observer, source }: QuotaOptions) {
    this.#clock = clock;
    this.#queueLimit = queueLimit;
    this.#observer = observer;
    const listener: SourceListener = {
      changed: () => void this.#serve(),
      lowered: (slots) => observer?.lowered(slots),
    };
    const alone = { capacity: perSecond, clock, openAt: clock.now() + HOLD_MS, listener };
    this.#slots = source ? source(listener) : new Slots(alone);
  }

  /**
   * Takes one slot, waiting for it as long as allowed. In the first moments of the process's life every call
   * waits for the hold after start, whatever it allows.
   *
   * @throws QuotaExhausted when the wait cannot be met, at once rather than at its end, or too many calls wait
   * @throws ShareExhausted when it cannot be met because the caller uses its fair share
   * @throws QuotaUnavailable when the slots' store is out of reach and this process has none of its own to lend
   * @throws QuotaClosed when the quota is closed first
   * @throws the signal's reason when it is aborted first
   */
  async take({ caller = EVERYBODY, waitMs = 0, signal }: TakeOptions = {}): Promise<Slot> {
    signal?.throwIfAborted();
    const { promise, resolve: grant, reject: refuse } = Promise.withResolvers<Slot>();
    const asked = this.#clock.now();
    const waiter: Waiter = { caller, asked, until: asked + waitMs, waiting: false, grant, refuse };
    const leave = (): void => {
      if (this.#remove(waiter)) refuse(signal?.reason as Error);
      void this.#serve();
    };
    signal?.addEventListener('abort', leave);
    this.#line.add(caller, waiter);
    void this.#serve();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** The far end refused a call as one too many: fewer slots are lent for a while, and then step by step more. */
  refusedByFarEnd(): void {
    this.#slots.lower();
  }

  state(): QuotaState {
    const now = this.#clock.now();
    const free = this.#slots.free(now);
    const capacity = this.#slots.capacity(now);
    const nextFreeInMs = free >= capacity ? 0 : this.#slots.earliest(free, now) - now;
    return { capacity, free, waiting: this.#waiting, nextFreeInMs };
  }

  /** Refuses whoever waits, with {@link QuotaClosed}. Calls that come later are served as before. */
  refuseWaiting(): void {
    for (const waiter of Array.from(this.#line)) if (this.#remove(waiter)) waiter.refuse(new QuotaClosed());
    this.#sleep();
  }

  /** Refuses whoever waits and ends what runs by itself. */
  async close(): Promise<void> {
    this.refuseWaiting();
    await this.#slots.close();
  }

  /** Goes round the callers until nobody is served any more, and sleeps until the next thing to do: one timer in all. */
  async #serve(): Promise<void> {
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
    this.#sleep();
  }

  async #round(): Promise<void> {
    const refused = new Set<string>();
    for (let caller = this.#line.next(refused); caller !== undefined; caller = this.#line.next(refused)) {
      // One look at the clock: between two, a wait could end that would have been served.
      const now = this.#clock.now();
      const taken = this.#slots.take(this.#line.ask(caller), now);
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
    const waiter = this.#line.shift(caller);
    if (!waiter) return slot.unused();
    if (waiter.waiting) this.#waiting -= 1;
    this.#observer?.granted(waiter.waiting ? this.#clock.now() - waiter.asked : 0);
    waiter.grant(slot);
  }

  /** Lets those of this caller wait who may, and refuses the others. */
  #settle(caller: string, why: Refusal, now: number): void {
    let behind = 0;
    for (const waiter of this.#line.of(caller).slice()) {
      if (why === 'unavailable' || !this.#canWait(waiter, behind, now)) this.#refuse(waiter, why);
      else if (waiter.waiting || this.#seat(waiter)) behind += 1;
    }
  }

  #canWait(waiter: Waiter, behind: number, now: number): boolean {
    const until = Math.max(waiter.until, this.#slots.openAt);
    if (waiter.waiting || until <= now) return until > now;
    return this.#slots.earliest(this.#line.placeOf(waiter.caller, behind), now) <= until;
  }

  /** A place among those who wait: when there is none left, the caller with the most of them loses its last. */
  #seat(waiter: Waiter): boolean {
    if (this.#waiting >= this.#queueLimit) {
      const { caller } = waiter;
      const seated = (name: string): Waiter[] => this.#line.of(name).filter(({ waiting }) => waiting);
      const longest = this.#line.longest() ?? caller;
      const last = seated(longest).at(-1);
      if (!last || seated(longest).length <= seated(caller).length + 1) {
        this.#refuse(waiter, 'queue');
        return false;
      }
      this.#refuse(last, 'queue');
    }
    waiter.waiting = true;
    this.#waiting += 1;
    return true;
  }

  #refuse(waiter: Waiter, why: Refusal | 'queue'): void {
    const now = this.#clock.now();
    const place = Math.max(0, this.#line.of(waiter.caller).indexOf(waiter));
    this.#remove(waiter);
    this.#observer?.refused(why);
    const earliest = this.#slots.earliest(this.#line.placeOf(waiter.caller, place), now);
    waiter.refuse(new REFUSALS[why](earliest - now));
  }

  #remove(waiter: Waiter): boolean {
    if (!this.#line.remove(waiter.caller, waiter)) return false;
    if (waiter.waiting) this.#waiting -= 1;
    return true;
  }

  #sleep(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    if (this.#serving || this.#line.size === 0) return;
    const now = this.#clock.now();
    let wakeAt = this.#slots.nextChange(now);
    for (const { until } of this.#line) wakeAt = Math.min(wakeAt, Math.max(until, this.#slots.openAt));
    this.#cancelWake = this.#clock.wakeIn(Math.max(0, wakeAt - now), () => void this.#serve());
  }
}
