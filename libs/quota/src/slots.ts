import { Allowance } from './allowance.js';
import type { Clock } from './clock.js';
import { earliest } from './earliest.js';
import { fairShare } from './fair-share.js';
import { Leases } from './leases.js';
import { lend } from './lend.js';
import type { Ask, ReleaseReason, SlotSource, SourceListener, Taken } from './slot-source.js';
import { Wishes } from './wishes.js';

export interface SlotsOptions {
  capacity: number;
  clock: Clock;
  /** When the first slot may be lent. */
  openAt: number;
  listener: SourceListener;
  /** What is taken already, where this lends others; default nothing. */
  leases?: Leases;
  /** What its ids among the leases begin with. */
  idPrefix?: string;
  /** Called when a slot is released. Default: reduces the capacity if it was throttled, and tells the listener. */
  onRelease?: (id: string, heldForMs: number, reason: ReleaseReason) => void;
}

/**
 * The rule, without waiting: so many slots, each free again one second after the answer to its call.
 * Then no more calls than slots arrive at the far end in any one second, whatever the network does.
 */
export class Slots implements SlotSource {
  readonly openAt: number;
  readonly #full: number;
  readonly #clock: Clock;
  readonly #listener: SourceListener;
  readonly #leases: Leases;
  readonly #allowance: Allowance;
  readonly #idPrefix: string;
  readonly #onRelease: (id: string, heldForMs: number, reason: ReleaseReason) => void;
  readonly #wishes = new Wishes();
  #lent = 0;

  constructor(options: SlotsOptions) {
    const { capacity, clock, openAt, listener, leases = new Leases(), idPrefix = '' } = options;
    this.openAt = openAt;
    this.#idPrefix = idPrefix;
    this.#onRelease =
      options.onRelease ??
      ((_id, _heldForMs, reason) => {
        if (reason === 'throttled') this.lower();
        listener.changed();
      });
    this.#full = capacity;
    this.#clock = clock;
    this.#listener = listener;
    this.#leases = leases;
    this.#allowance = new Allowance(capacity);
  }

  take(ask: Ask, now: number): Taken {
    const { caller } = ask;
    const verdict = this.#verdict(ask, now);
    if (verdict !== 'granted') return { refused: verdict };
    this.#wishes.served(caller, now);
    this.#lent += 1;
    const id = `${this.#idPrefix}${this.#lent}`;
    return { slot: lend(this.#leases, this.#clock, { id, caller }, this.#onRelease) };
  }

  rejection(request: Ask, now: number): 'quota' | 'share' | undefined {
    const before = this.#wishes.of(request.caller);
    const verdict = this.#verdict(request, now);
    if (verdict !== 'granted') return verdict;
    this.#wishes.restore(request.caller, before);
    return undefined;
  }

  /** The cloud rejected a call that the rule allows: fewer slots are lent for a while, and then step by step more. */
  lower(): void {
    const now = this.#clock.now();
    if (this.#allowance.lower(now)) this.#listener.lowered(this.capacity(now));
  }

  capacity(now: number): number {
    return this.#allowance.at(now);
  }

  free(now: number): number {
    return now < this.openAt ? 0 : Math.max(0, this.capacity(now) - this.#leases.at(now).size);
  }

  inUse(now: number): number {
    return this.#leases.at(now).size;
  }

  earliest(place: number, now: number): number {
    const allTaken = this.#leases.at(now).size === this.#full && this.capacity(now) === this.#full;
    if (place === 0 && allTaken && now >= this.openAt) return this.#leases.firstEnd(now);
    const freeAt = this.#leases.freeAt(this.#full, Math.max(now, this.openAt), now);
    return earliest(freeAt, this.capacity(now), place, now);
  }

  nextChange(now: number): number {
    if (now < this.openAt) return this.openAt;
    const change = Math.min(this.#leases.nextEnd(now), this.#allowance.nextStep(now));
    // What is free and yet not lent is set aside for somebody whose wish will be forgotten.
    return this.free(now) > 0 ? Math.min(change, this.#wishes.nextChange(now)) : change;
  }

  async close(): Promise<void> {}

  #verdict(ask: Ask, now: number): 'granted' | 'quota' | 'share' {
    const { caller } = ask;
    const inUse = this.#leases.inUse(now);
    this.#wishes.asked(ask, inUse.get(caller) ?? 0, now);
    if (now < this.openAt) return 'quota';
    return fairShare(caller, this.capacity(now), inUse, this.#wishes.at(now));
  }
}
