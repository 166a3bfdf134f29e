import type { Clock } from '../clock.js';
import { IN_FLIGHT } from '../earliest.js';
import type { Leases } from '../leases.js';
import { inTime } from './in-time.js';
import { type EnteredLease, type SlotStore, type Standing, STRANGER } from './slot-store.js';

/** No caller waits longer than this for the store, in milliseconds. */
const COMMAND_TIMEOUT_MS = 250;

const RETRY_MS = 200;
const HEARTBEAT_MS = 1000;

/** The store says when it is reached; one that says nothing at all is tried after this, in milliseconds. */
const FIRST_TRY_MS = 1000;

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

export interface AttendanceOptions {
  store: SlotStore;
  clock: Clock;
  /** What this replica has lent. */
  leases: Leases;
  /** The store knows this replica, and what it has lent. */
  joined(standing: Standing, first: boolean): void;
  /** The store does not answer, or does not know this replica any more. */
  lost(): void;
  observer: StoreObserver | undefined;
}

/** Keeps this replica among those that share a store: joins, says that it lives, and comes back when it was lost. */
export class Attendance {
  readonly #options: AttendanceOptions;
  #up = false;
  #closed = false;
  #told = false;
  #wasHere = false;
  #coming = 0;
  /** What the store said last. */
  #heard = { part: 0, era: 0 };
  #cancelTimer: (() => void) | undefined;

  constructor(options: AttendanceOptions) {
    this.#options = options;
    options.store.open({ reached: () => void this.#join(), lost: (reason) => this.#lose(reason) });
    this.#retry(FIRST_TRY_MS);
  }

  /** Whether slots come from the store. */
  get up(): boolean {
    return this.#up;
  }

  /** Which coming of this replica it is. */
  get coming(): number {
    return this.#coming;
  }

  /** How many slots this replica may lend by itself; 0 until the others leave it some. */
  get part(): number {
    return this.#heard.part;
  }

  /** Awaits the store's word; undefined when there is none, and then the store is lost. */
  async command<T>(answer: Promise<T | typeof STRANGER>): Promise<T | undefined> {
    const coming = this.#coming;
    try {
      const word = await inTime(answer, COMMAND_TIMEOUT_MS, this.#options.clock);
      // What was asked before the store was lost says nothing of it now.
      if (coming !== this.#coming || !this.#up) return undefined;
      if (word !== STRANGER) return word;
      this.#lose(STRANGER);
    } catch (error) {
      if (coming === this.#coming) this.#lose(reasonOf(error));
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#options.store.close();
  }

  #lose(reason: string): void {
    if (this.#closed) return;
    if (!this.#up) return this.#tell(reason);
    this.#up = false;
    this.#tell(reason);
    this.#options.store.reconnect();
    this.#retry(RETRY_MS);
    this.#options.lost();
  }

  #tell(reason: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#options.observer?.storeLost(reason, this.part);
  }

  #retry(afterMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.wakeIn(afterMs, () => void this.#join());
  }

  async #join(): Promise<void> {
    if (this.#up || this.#closed) return;
    this.#cancelTimer?.();
    const { store, clock, leases } = this.#options;
    this.#coming += 1;
    const number = this.#coming;
    const { version } = leases;
    try {
      const coming = { number, part: this.part, leases: this.#entered() };
      const standing = await inTime(store.join(coming), COMMAND_TIMEOUT_MS, clock);
      if (number !== this.#coming || this.#closed) return;
      // What was lent or answered meanwhile is not entered yet.
      if (version === leases.version) this.#begin(standing);
      else await this.#join();
    } catch (error) {
      if (number !== this.#coming || this.#closed) return;
      this.#tell(reasonOf(error));
      store.reconnect();
      this.#retry(RETRY_MS);
    }
  }

  #entered(): EnteredLease[] {
    const now = this.#options.clock.now();
    return Array.from(this.#options.leases.at(now), ([id, { caller, freeAt }]) => ({
      id,
      caller,
      freeIn: freeAt === IN_FLIGHT ? Infinity : freeAt - now,
    }));
  }

  #begin(standing: Standing): void {
    const first = !this.#wasHere;
    this.#up = true;
    this.#told = false;
    this.#wasHere = true;
    this.#options.observer?.storeFound();
    this.#heed(standing);
    this.#options.joined(standing, first);
  }

  /** What is new is confirmed at once: until then the store does not count on it. */
  #heed({ part, era }: Standing): void {
    const news = part !== this.#heard.part || era !== this.#heard.era;
    this.#heard = { part, era };
    this.#cancelTimer?.();
    if (news) void this.#beat();
    else this.#cancelTimer = this.#options.clock.wakeIn(HEARTBEAT_MS, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    const standing = await this.command(this.#options.store.beat(this.#coming, this.#heard));
    if (standing && !this.#closed) this.#heed(standing);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'reason' in error ? String(error.reason) : 'unknown';
}
