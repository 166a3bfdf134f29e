import type { Clock } from './clock.js';
import { QuotaExhausted } from './quota-exhausted.js';
import { type Slot, Slots } from './slots.js';

export interface QuotaOptions {
  /** Upstream calls that may arrive in any one second. */
  perSecond: number;
  clock: Clock;
  observer?: QuotaObserver;
}

/** Is told what the quota decides, for metrics. */
export interface QuotaObserver {
  granted(waitedMs: number): void;
  refused(): void;
  /** Somebody else uses the quota: only so many slots are left for now. */
  lowered(slots: number): void;
}

export interface TakeOptions {
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
  until: number;
  grant(slot: Slot): void;
  refuse(): void;
}

/** Lends slots to calls, first come first served, and lets calls wait for one. */
export class Quota {
  readonly #clock: Clock;
  readonly #slots: Slots;
  readonly #observer: QuotaObserver | undefined;
  readonly #waiters = new Set<Waiter>();
  #cancelWake: (() => void) | undefined;

  constructor({ perSecond, clock, observer }: QuotaOptions) {
    this.#clock = clock;
    this.#observer = observer;
    this.#slots = new Slots(perSecond, clock.now());
  }

  /**
   * Takes one slot, waiting for it as long as allowed. In the first moments of the process's life every call
   * waits for the hold after start, whatever it allows.
   *
   * @throws QuotaExhausted when the wait cannot be met, at once rather than at its end
   * @throws the signal's reason when it is aborted first
   */
  async take({ waitMs = 0, signal }: TakeOptions = {}): Promise<Slot> {
    signal?.throwIfAborted();
    const asked = this.#clock.now();
    const slot = this.#waiters.size === 0 ? this.#lend(asked) : undefined;
    if (slot) {
      this.#observer?.granted(0);
      return slot;
    }
    const until = Math.max(asked + waitMs, this.#slots.openAt);
    const earliest = this.#slots.earliest(this.#waiters.size, asked);
    if (earliest > until) throw this.#refusal();
    const waited = await this.#wait(until, signal);
    this.#observer?.granted(this.#clock.now() - asked);
    return waited;
  }

  /** The far end refused a call as one too many: fewer slots are lent for a while, and then step by step more. */
  refusedByFarEnd(): void {
    const now = this.#clock.now();
    if (this.#slots.lower(now)) this.#observer?.lowered(this.#slots.capacity(now));
  }

  state(): QuotaState {
    const now = this.#clock.now();
    const free = this.#slots.free(now);
    const capacity = this.#slots.capacity(now);
    const nextFreeInMs = free >= capacity ? 0 : this.#slots.earliest(free, now) - now;
    return { capacity, free, waiting: this.#waiters.size, nextFreeInMs };
  }

  #lend(at: number): Slot | undefined {
    return this.#slots.take(
      at,
      () => this.#clock.now(),
      () => this.#serve(),
    );
  }

  #refusal(): QuotaExhausted {
    this.#observer?.refused();
    const now = this.#clock.now();
    return new QuotaExhausted(this.#slots.earliest(this.#waiters.size, now) - now);
  }

  async #wait(until: number, signal: AbortSignal | undefined): Promise<Slot> {
    const { promise, resolve, reject } = Promise.withResolvers<Slot>();
    const waiter: Waiter = { until, grant: resolve, refuse: () => reject(this.#refusal()) };
    const leave = (): void => {
      this.#waiters.delete(waiter);
      reject(signal?.reason as Error);
      this.#serve();
    };
    signal?.addEventListener('abort', leave);
    this.#waiters.add(waiter);
    this.#serve();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Serves who can be served, refuses whose time is up, and sleeps until the next thing to do: one timer in all. */
  #serve(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    // One look at the clock: between two, a wait could end that would have been served.
    const now = this.#clock.now();
    for (const waiter of this.#waiters) {
      const slot = this.#lend(now);
      if (!slot) break;
      this.#waiters.delete(waiter);
      waiter.grant(slot);
    }
    let next = Infinity;
    for (const waiter of this.#waiters) {
      if (waiter.until <= now) {
        this.#waiters.delete(waiter);
        waiter.refuse();
      } else next = Math.min(next, waiter.until);
    }
    if (this.#waiters.size === 0) return;
    const wakeAt = Math.min(next, this.#slots.nextReturn(now));
    this.#cancelWake = this.#clock.wakeIn(wakeAt - now, () => this.#serve());
  }
}
