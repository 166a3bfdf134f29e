import type { Clock } from './clock.js';
import { QuotaClosed, QuotaExhausted, QuotaUnavailable, ShareExhausted } from './refusals.js';
import type { Refusal, Slot, SlotSource, SourceListener } from './slot-source.js';
import { Slots } from './slots.js';
import { HOLD_MS } from './timing.js';
import { type Place, WaitingLine } from './waiting-line.js';

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
  /**
   * Calls of one caller that bring the same object want one slot together: they count as one, and all get the same
   * slot. Each still waits as long as it may.
   */
  sharing?: object;
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

/** As QuotaExhausted or ShareExhausted would say it. */
export interface RefusedNow {
  readonly why: 'quota' | 'share';
  /** Milliseconds before which no slot can free for one more call. */
  readonly retryAfterMs: number;
}

interface Waiter {
  readonly asked: number;
  /** When its wait is over; whatever it allows, not before the hold after start. */
  readonly until: number;
  /** Whether it is known that its wait may be long enough. */
  hopeful: boolean;
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
  async take({ caller = EVERYBODY, waitMs = 0, sharing, signal }: TakeOptions = {}): Promise<Slot> {
    signal?.throwIfAborted();
    const { promise, resolve: grant, reject: refuse } = Promise.withResolvers<Slot>();
    const asked = this.#clock.now();
    const waiter: Waiter = { asked, until: asked + waitMs, hopeful: false, grant, refuse };
    const place = this.#line.add(caller, waiter, sharing);
    const leave = (): void => {
      if (this.#line.remove(place, waiter)) refuse(signal?.reason as Error);
      void this.#serve();
    };
    signal?.addEventListener('abort', leave);
    void this.#serve();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /**
   * Refuses a call that may not wait where {@link take} would, in the same way, but without a promise and an error
   * built for it: a flood is refused at a fraction of the cost.
   *
   * @returns undefined, and nothing has happened, where only `take` can tell
   */
  refuseNow(caller: string = EVERYBODY): RefusedNow | undefined {
    const now = this.#clock.now();
    if (this.#serving || now < this.#slots.openAt) return undefined;
    const waiting = this.#line.of(caller).length;
    const why = this.#slots.refusal?.({ caller, fresh: 1, wanted: waiting + 1 }, now);
    if (why !== 'quota' && why !== 'share') return undefined;
    this.#observer?.refused(why);
    const earliest = this.#slots.earliest(this.#line.turnOf(caller, waiting), now);
    return { why, retryAfterMs: earliest - now };
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
    return { capacity, free, waiting: this.#line.seated, nextFreeInMs };
  }

  /** Refuses whoever waits, with {@link QuotaClosed}, and ends what runs by itself. */
  async close(): Promise<void> {
    for (const [place, waiter] of Array.from(this.#line)) {
      this.#line.remove(place, waiter);
      waiter.refuse(new QuotaClosed());
    }
    this.#sleep();
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
    const waiters = this.#line.shift(caller);
    const [first] = waiters;
    if (!first) return slot.unused();
    this.#observer?.granted(first.hopeful ? this.#clock.now() - first.asked : 0);
    for (const waiter of waiters) waiter.grant(slot);
  }

  /** Lets those of this caller wait who may, and refuses the others. */
  #settle(caller: string, why: Refusal, now: number): void {
    let behind = 0;
    for (const place of this.#line.of(caller).slice()) {
      for (const waiter of place.waiters.slice()) {
        waiter.hopeful = why !== 'unavailable' && this.#canWait(caller, waiter, behind, now);
        if (!waiter.hopeful) this.#refuse(place, waiter, why);
      }
      if (place.waiters.length > 0 && (place.seated || this.#seat(place))) behind += 1;
    }
  }

  #canWait(caller: string, { until: own, hopeful }: Waiter, behind: number, now: number): boolean {
    const until = Math.max(own, this.#slots.openAt);
    if (hopeful || until <= now) return until > now;
    return this.#slots.earliest(this.#line.turnOf(caller, behind), now) <= until;
  }

  /** A place among those that wait: when there is none left, the caller with the most of them loses its last. */
  #seat(place: Place<Waiter>): boolean {
    if (this.#line.seated >= this.#queueLimit) {
      const longest = this.#line.longest();
      const full = longest.length <= this.#line.seatedOf(place.caller).length + 1;
      const loser = full ? place : longest.at(-1)!;
      for (const waiter of loser.waiters.slice()) this.#refuse(loser, waiter, 'queue');
      if (full) return false;
    }
    this.#line.seat(place);
    return true;
  }

  #refuse(place: Place<Waiter>, waiter: Waiter, why: Refusal | 'queue'): void {
    const now = this.#clock.now();
    const behind = this.#line.of(place.caller).indexOf(place);
    this.#line.remove(place, waiter);
    this.#observer?.refused(why);
    const earliest = this.#slots.earliest(this.#line.turnOf(place.caller, behind), now);
    waiter.refuse(new REFUSALS[why](earliest - now));
  }

  #sleep(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    if (this.#serving || this.#line.empty) return;
    const now = this.#clock.now();
    let wakeAt = this.#slots.nextChange(now);
    for (const [, { until }] of this.#line) wakeAt = Math.min(wakeAt, Math.max(until, this.#slots.openAt));
    this.#cancelWake = this.#clock.wakeIn(Math.max(0, wakeAt - now), () => void this.#serve());
  }
}
