import type { Clock } from '../clock.js';
import { earliest, IN_FLIGHT } from '../earliest.js';
import { Leases } from '../leases.js';
import { lend } from '../lend.js';
import type { Ask, SlotSource, SourceListener, Taken } from '../slot-source.js';
import { Slots } from '../slots.js';
import { HOLD_MS } from '../timing.js';
import { inTime } from './in-time.js';
import { type Membership, type SlotStore, type StoreView, STRANGER } from './slot-store.js';

/** No caller waits longer than this for the store, in milliseconds. */
const COMMAND_TIMEOUT_MS = 250;

const RETRY_MS = 200;
const HEARTBEAT_MS = 1000;

/** The store says when it is reached; one that says nothing at all is tried after this, in milliseconds. */
const FIRST_TRY_MS = 1000;

/** After this long, in milliseconds, every other replica has heard of a new one by its own heartbeat. */
const HEARD_OF_MS = 2 * HEARTBEAT_MS;

/** Is told how the store fares. */
export interface StoreObserver {
  /** Slots come from the store. */
  storeFound(): void;
  /**
   * The store is out of reach.
   *
   * @param part how many slots this replica lends by itself after the hold; 0 when it must lend none
   */
  storeLost(reason: string, part: number): void;
}

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
 * When the store is lost nothing is lent for the hold, and then the part: as many as there are divided by the
 * replicas last seen. When it is found again, what this replica has taken is entered before anything new is, and
 * the store keeps everybody to their part until all who can have come back.
 * docs/decisions/0009-without-redis.md says why that is never more than there are.
 */
export class StoredSlots implements SlotSource {
  readonly #options: StoredSlotsOptions;
  readonly #leases = new Leases();
  #alone: Slots;
  #openAt: number;
  #up = false;
  #closed = false;
  #told = false;
  #coming = 0;
  #wasHere = false;
  #joinedAt = Infinity;
  #heardOf = false;
  #replicas = Infinity;
  #holdUntil: number;
  #lent = 0;
  #view: { capacity: number; freeAt: number[]; changeAt: number };
  #cancelTimer: (() => void) | undefined;

  constructor(options: StoredSlotsOptions) {
    this.#options = options;
    const now = options.clock.now();
    this.#openAt = now + HOLD_MS;
    this.#holdUntil = this.#openAt;
    this.#alone = this.#ownPart();
    this.#view = { capacity: options.perSecond, freeAt: [], changeAt: Infinity };
    options.store.open({ reached: () => void this.#join(), lost: (reason) => this.#lose(reason) });
    this.#retry(FIRST_TRY_MS);
  }

  get openAt(): number {
    return this.#openAt;
  }

  async take(ask: Ask, now: number): Promise<Taken> {
    if (now < this.#openAt) return { refused: 'quota' };
    if (this.#up && now < this.#holdUntil) return { refused: 'quota' };
    const taken = this.#up ? await this.#takeShared(ask) : undefined;
    return taken ?? this.#takeAlone(ask);
  }

  lower(): void {
    if (!this.#up) return this.#alone.lower();
    void this.#lowerShared();
  }

  capacity(now: number): number {
    return this.#up ? this.#view.capacity : this.#alone.capacity(now);
  }

  free(now: number): number {
    if (now < Math.max(this.#openAt, this.#holdUntil)) return 0;
    if (!this.#up) return this.#alone.free(now);
    const taken = this.#view.freeAt.filter((time) => time > now).length;
    return Math.max(0, this.#view.capacity - taken);
  }

  earliest(place: number, now: number): number {
    if (!this.#up) return this.#alone.earliest(place, now);
    const open = Math.max(now, this.#openAt, this.#holdUntil);
    const freeAt = this.#view.freeAt.filter((time) => time > now).map((time) => Math.max(time, open));
    while (freeAt.length < this.#options.perSecond) freeAt.push(open);
    return earliest(freeAt, this.#view.capacity, place, now);
  }

  nextChange(now: number): number {
    const open = Math.max(this.#openAt, this.#holdUntil);
    if (now < open) return open;
    return this.#up ? Math.max(this.#view.changeAt, now + 1) : this.#alone.nextChange(now);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#options.store.close();
  }

  async #lowerShared(): Promise<void> {
    const answer = await this.#command(this.#options.store.lower(this.#coming));
    if (answer?.lowered) this.#options.listener.lowered(answer.capacity);
  }

  async #takeShared(ask: Ask): Promise<Taken | undefined> {
    this.#lent += 1;
    const id = `${this.#options.replica}/${this.#lent}`;
    const coming = this.#coming;
    const answer = await this.#command(this.#options.store.take(coming, id, ask, this.#part()));
    // A grant of a store that was lost meanwhile counts for nothing: joining again will take it back.
    if (!answer || !this.#up || coming !== this.#coming) return undefined;
    this.#see(answer.view);
    if (answer.verdict !== 'granted') return { refused: answer.verdict };
    const lease = { id, caller: ask.caller };
    return { slot: lend(this.#leases, this.#options.clock, lease, this.#returned) };
  }

  #takeAlone(ask: Ask): Taken {
    if (this.#part() === 0) return { refused: 'unavailable' };
    return this.#alone.take(ask, this.#options.clock.now());
  }

  readonly #returned = (id: string, heldForMs: number): void => {
    const { store, listener } = this.#options;
    if (!this.#up) return listener.changed();
    void this.#giveBack(store.giveBack(this.#coming, id, heldForMs));
  };

  async #giveBack(answer: Promise<StoreView | typeof STRANGER>): Promise<void> {
    const view = await this.#command(answer);
    if (view) this.#see(view);
    this.#options.listener.changed();
  }

  /** Awaits the store's word; undefined when there is none, and then the store is lost. */
  async #command<T>(answer: Promise<T | typeof STRANGER>): Promise<T | undefined> {
    try {
      const word = await inTime(answer, COMMAND_TIMEOUT_MS, this.#options.clock);
      if (word !== STRANGER) return word;
      this.#lose(STRANGER);
    } catch (error) {
      this.#lose(reasonOf(error));
    }
    return undefined;
  }

  #see({ capacity, freeIn, changeIn }: StoreView): void {
    const now = this.#options.clock.now();
    this.#view = { capacity, freeAt: freeIn.map((ms) => now + ms), changeAt: now + changeIn };
  }

  /** This replica's part of the slots while it cannot know of the others'; 0 until they know of this one. */
  #part(): number {
    return this.#heardOf ? Math.floor(this.#options.perSecond / this.#replicas) : 0;
  }

  #ownPart(): Slots {
    const { clock, listener, replica } = this.#options;
    return new Slots({
      capacity: this.#part(),
      clock,
      openAt: this.#holdUntil,
      listener,
      leases: this.#leases,
      idPrefix: `${replica}/alone-${this.#coming}-`,
      returned: this.#returned,
    });
  }

  #lose(reason: string): void {
    if (this.#closed) return;
    if (this.#up) {
      this.#up = false;
      this.#cancelTimer?.();
      this.#holdUntil = this.#options.clock.now() + HOLD_MS;
      this.#alone = this.#ownPart();
      this.#tell(reason);
      this.#options.store.reconnect();
      this.#retry();
      this.#options.listener.changed();
    } else this.#tell(reason);
  }

  #tell(reason: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#options.observer?.storeLost(reason, this.#part());
  }

  #retry(afterMs = RETRY_MS): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.wakeIn(afterMs, () => void this.#join());
  }

  async #join(): Promise<void> {
    if (this.#up || this.#closed) return;
    this.#cancelTimer?.();
    const { store, clock } = this.#options;
    this.#coming += 1;
    const number = this.#coming;
    const { version } = this.#leases;
    try {
      const coming = { number, again: this.#wasHere, leases: this.#entered() };
      const membership = await inTime(store.join(coming), COMMAND_TIMEOUT_MS, clock);
      if (number !== this.#coming || this.#up || this.#closed) return;
      // What was lent or answered meanwhile is not entered yet.
      if (version === this.#leases.version) this.#begin(membership);
      else await this.#join();
    } catch (error) {
      if (number !== this.#coming || this.#up || this.#closed) return;
      this.#tell(reasonOf(error));
      store.reconnect();
      this.#retry();
    }
  }

  #entered(): { id: string; caller: string; freeIn: number }[] {
    const now = this.#options.clock.now();
    return Array.from(this.#leases.at(now), ([id, { caller, freeAt }]) => ({
      id,
      caller,
      freeIn: freeAt === IN_FLIGHT ? Infinity : freeAt - now,
    }));
  }

  #begin(membership: Membership): void {
    const { clock, perSecond, observer, listener } = this.#options;
    const now = clock.now();
    this.#up = true;
    this.#told = false;
    if (!this.#wasHere) {
      this.#joinedAt = now;
      // A store that is new, too, lends nothing to newcomers at first: they wait for that as for the hold.
      if (membership.cautiousFor > 0) this.#openAt = Math.max(this.#openAt, now + membership.cautiousFor + 1);
    }
    this.#wasHere = true;
    this.#count({ ...membership, cautiousFor: Infinity });
    this.#view = { capacity: perSecond, freeAt: [], changeAt: now };
    observer?.storeFound();
    this.#beatLater();
    listener.changed();
  }

  #beatLater(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.wakeIn(HEARTBEAT_MS, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    const membership = await this.#command(this.#options.store.beat(this.#coming));
    if (!membership || !this.#up || this.#closed) return;
    if (this.#options.clock.now() - this.#joinedAt >= HEARD_OF_MS) this.#heardOf = true;
    this.#count(membership);
    this.#beatLater();
  }

  /** While some may not have come back yet, those not seen count as well. */
  #count({ replicas, cautiousFor }: Membership): void {
    const before = cautiousFor > 0 && this.#replicas !== Infinity ? this.#replicas : 0;
    this.#replicas = Math.max(before, replicas);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'reason' in error ? String(error.reason) : 'unknown';
}
