import type { Clock } from './clock.js';
import type { QuotaObserver } from './quota.js';
import { QuotaClosed, QuotaExhausted, QuotaUnavailable, ShareExhausted } from './refusals.js';
import type { Refusal, Slot, SlotSource } from './slot-source.js';
import { type Place, WaitingLine } from './waiting-line.js';

export interface Waiter {
  readonly asked: number;
  /** When its wait is over; whatever it allows, not before the hold after start. */
  readonly until: number;
  /** Whether it is known that its wait may be long enough. */
  hopeful: boolean;
  grant(slot: Slot): void;
  refuse(error: Error): void;
}

const REFUSALS = {
  quota: QuotaExhausted,
  queue: QuotaExhausted,
  share: ShareExhausted,
  unavailable: QuotaUnavailable,
} as const;

export interface TurnsOptions {
  clock: Clock;
  /** How many calls may wait at once. */
  queueLimit: number;
  observer: QuotaObserver | undefined;
}

/** Serves those who wait: the callers take turns, and whoever cannot be served in time is refused. */
export class Turns {
  readonly line = new WaitingLine<Waiter>();
  readonly #slots: SlotSource;
  readonly #options: TurnsOptions;
  #serving = false;
  #again = false;
  /** When those who wait are next to be served. */
  #wakeAt = Infinity;
  #cancelWake: (() => void) | undefined;

  constructor(slots: SlotSource, options: TurnsOptions) {
    this.#slots = slots;
    this.#options = options;
  }

  /** Whether somebody is being served just now, or should be, and only the timer is not there yet. */
  servingAt(now: number): boolean {
    return this.#serving || this.#wakeAt <= now;
  }

  /** Refuses all who wait. */
  close(): void {
    for (const [place, waiter] of Array.from(this.line)) {
      this.line.remove(place, waiter);
      waiter.refuse(new QuotaClosed());
    }
    this.#sleep();
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
    this.#sleep();
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
    const waiters = this.line.shift(caller);
    const [first] = waiters;
    if (!first) return slot.unused();
    this.#options.observer?.granted(first.hopeful ? this.#options.clock.now() - first.asked : 0);
    for (const waiter of waiters) waiter.grant(slot);
  }

  /** Lets those of this caller wait who may, and refuses the others. */
  #settle(caller: string, why: Refusal, now: number): void {
    let behind = 0;
    for (const place of this.line.of(caller).slice()) {
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
    return this.#slots.earliest(this.line.turnOf(caller, behind), now) <= until;
  }

  /** A place among those that wait: when there is none left, the caller with the most of them loses its last. */
  #seat(place: Place<Waiter>): boolean {
    if (this.line.seated >= this.#options.queueLimit) {
      const longest = this.line.longest();
      const full = longest.length <= this.line.seatedOf(place.caller).length + 1;
      const loser = full ? place : longest.at(-1)!;
      for (const waiter of loser.waiters.slice()) this.#refuse(loser, waiter, 'queue');
      if (full) return false;
    }
    this.line.seat(place);
    return true;
  }

  #refuse(place: Place<Waiter>, waiter: Waiter, why: Refusal | 'queue'): void {
    const now = this.#options.clock.now();
    const behind = this.line.of(place.caller).indexOf(place);
    this.line.remove(place, waiter);
    this.#options.observer?.refused(why);
    const earliest = this.#slots.earliest(this.line.turnOf(place.caller, behind), now);
    waiter.refuse(new REFUSALS[why](earliest - now));
  }

  #sleep(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    this.#wakeAt = Infinity;
    if (this.#serving || this.line.empty) return;
    const now = this.#options.clock.now();
    this.#wakeAt = this.#slots.nextChange(now);
    for (const [, { until }] of this.line)
      this.#wakeAt = Math.min(this.#wakeAt, Math.max(until, this.#slots.openAt));
    this.#cancelWake = this.#options.clock.wakeIn(Math.max(0, this.#wakeAt - now), () => void this.serve());
  }
}
