import type { Clock } from '../clock.js';
import { earliest } from '../earliest.js';
import { Leases } from '../leases.js';
import { lend } from '../lend.js';
import type { Ask, ReleaseReason, SlotSource, SourceListener, Taken } from '../slot-source.js';
import { Slots } from '../slots.js';
import { HOLD_MS } from '../timing.js';
import { Attendance, type StoreObserver } from './attendance.js';
import type { SlotStore, Standing, StoreView } from './slot-store.js';

/**
 * A grant older than this, in milliseconds, is not used: the store takes its slot back when the longest call is over,
 * and a process that was held up would begin that call too late.
 */
const FRESH_MS = 500;

export interface StoredSlotsOptions {
  perSecond: number;
  /** Unlike any other replica's. */
  replica: string;
  store: SlotStore;
  clock: Clock;
  listener: SourceListener;
  observer?: StoreObserver;
}

/**
 * Slots that replicas share through a store; without it, this replica's own part of them.
 *
 * When the store is lost nothing is lent for the hold, and then the part. When it is found again, what this replica
 * has taken is entered before anything new is, and the store keeps everybody to their part until all who can have
 * come back. docs/decisions/0009-without-redis.md says why that is never more than there are.
 */
export class StoredSlots implements SlotSource {
  readonly #options: StoredSlotsOptions;
  readonly #leases = new Leases();
  readonly #attendance: Attendance;
  #alone: Slots;
  /** When the first slot of all may be lent. */
  #openAt: number;
  /** When the first slot after the store was lost may be lent. */
  #holdUntil: number;
  #lent = 0;
  #view: { capacity: number; freeAt: number[]; changeAt: number };

  constructor(options: StoredSlotsOptions) {
    this.#options = options;
    const { clock, store, observer, perSecond } = options;
    this.#openAt = clock.now() + HOLD_MS;
    this.#holdUntil = this.#openAt;
    this.#alone = this.#slotsOfItsOwn(0);
    this.#view = { capacity: perSecond, freeAt: [], changeAt: Infinity };
    this.#attendance = new Attendance({
      store,
      clock,
      leases: this.#leases,
      joined: (standing, first) => this.#joined(standing, first),
      lost: () => this.#lost(),
      observer,
    });
  }

  get openAt(): number {
    return this.#openAt;
  }

  async take(ask: Ask, now: number): Promise<Taken> {
    if (now < this.#openAt) return { refused: 'quota' };
    if (!this.#attendance.up) return this.#takeAlone(ask, now);
    return now < this.#holdUntil ? { refused: 'quota' } : this.#takeShared(ask);
  }

  /** Always undefined: only the store can tell, until this replica can prove by its last view that no slot is free. */
  rejection(): undefined {
    return undefined;
  }

  capacity(now: number): number {
    return this.#attendance.up ? this.#view.capacity : this.#alone.capacity(now);
  }

  free(now: number): number {
    if (now < Math.max(this.#openAt, this.#holdUntil)) return 0;
    if (!this.#attendance.up) return this.#alone.free(now);
    return Math.max(0, this.#view.capacity - this.inUse(now));
  }

  inUse(now: number): number {
    if (!this.#attendance.up) return this.#alone.inUse(now);
    return this.#view.freeAt.filter((time) => time > now).length;
  }

  earliest(place: number, now: number): number {
    if (!this.#attendance.up) return this.#alone.earliest(place, now);
    const open = Math.max(now, this.#openAt, this.#holdUntil);
    const freeAt = this.#view.freeAt.filter((time) => time > now).map((time) => Math.max(time, open));
    while (freeAt.length < this.#options.perSecond) freeAt.push(open);
    return earliest(freeAt, this.#view.capacity, place, now);
  }

  nextChange(now: number): number {
    const open = Math.max(this.#openAt, this.#holdUntil);
    if (now < open) return open;
    return this.#attendance.up ? Math.max(this.#view.changeAt, now + 1) : this.#alone.nextChange(now);
  }

  close(): Promise<void> {
    return this.#attendance.close();
  }

  async #lower(): Promise<void> {
    if (!this.#attendance.up) return this.#alone.lower();
    const { store, listener } = this.#options;
    const answer = await this.#attendance.command(store.lower(this.#attendance.coming));
    if (answer?.lowered) listener.lowered(answer.capacity);
  }

  async #takeShared(ask: Ask): Promise<Taken> {
    this.#lent += 1;
    const { store, replica, clock } = this.#options;
    const id = `${replica}/${this.#lent}`;
    const asked = clock.now();
    // A grant of a store that was lost meanwhile counts for nothing: joining again will take it back.
    const answer = await this.#attendance.command(store.take(this.#attendance.coming, id, ask));
    if (!answer) return this.#attendance.up ? { refused: 'quota' } : this.#takeAlone(ask, clock.now());
    this.#see(answer.view);
    if (answer.verdict !== 'granted') return { refused: answer.verdict };
    const slot = lend(this.#leases, clock, { id, caller: ask.caller }, this.#onRelease);
    if (clock.now() - asked <= FRESH_MS) return { slot };
    slot.release('unused');
    return { refused: 'quota' };
  }

  #takeAlone(ask: Ask, now: number): Taken {
    return this.#attendance.part === 0 ? { refused: 'unavailable' } : this.#alone.take(ask, now);
  }

  readonly #onRelease = (id: string, heldForMs: number, reason: ReleaseReason): void => {
    if (reason === 'throttled') void this.#lower();
    if (this.#attendance.up) void this.#giveBack(id, heldForMs);
    else this.#options.listener.changed();
  };

  async #giveBack(id: string, heldForMs: number): Promise<void> {
    const { store, listener } = this.#options;
    const view = await this.#attendance.command(store.giveBack(this.#attendance.coming, id, heldForMs));
    if (view) this.#see(view);
    listener.changed();
  }

  #see({ capacity, freeIn, changeIn }: StoreView): void {
    const now = this.#options.clock.now();
    this.#view = { capacity, freeAt: freeIn.map((ms) => now + ms), changeAt: now + changeIn };
  }

  #slotsOfItsOwn(capacity: number): Slots {
    const { clock, listener, replica } = this.#options;
    return new Slots({
      capacity,
      clock,
      openAt: this.#holdUntil,
      listener,
      leases: this.#leases,
      idPrefix: `${replica}/alone-${this.#holdUntil}-`,
      onRelease: this.#onRelease,
    });
  }

  #lost(): void {
    this.#holdUntil = this.#options.clock.now() + HOLD_MS;
    this.#alone = this.#slotsOfItsOwn(this.#attendance.part);
    this.#options.listener.changed();
  }

  #joined({ newFor }: Standing, first: boolean): void {
    const { clock, perSecond, listener } = this.#options;
    const now = clock.now();
    // A store that is new, too, lends nothing to newcomers at first: they wait for that as for the hold.
    if (first && newFor > 0) this.#openAt = Math.max(this.#openAt, now + newFor + 1);
    this.#view = { capacity: perSecond, freeAt: [], changeAt: now };
    listener.changed();
  }
}
