import { IN_FLIGHT, MIN_HOLD_MS } from './earliest-grant.js';

export interface Lease {
  readonly caller: string;
  /** When the slot becomes free; {@link IN_FLIGHT} until its attempt ends. */
  expiresAt: number;
}

/** The leases of this process, by id. */
export class Leases {
  readonly #leases = new Map<string, Lease>();
  #version = 0;
  // Cached, because a flood of rejected calls reads them far more often than they change.
  /** No lease expires before this time; -Infinity: not computed yet. */
  #nextExpiry = -Infinity;
  #hasInFlight = false;
  #countsByCaller: ReadonlyMap<string, number> | undefined;

  /** Grows with every added or released lease, but not when one expires. */
  get version(): number {
    return this.#version;
  }

  add(id: string, caller: string, expiresAt = IN_FLIGHT): void {
    this.#invalidate();
    this.#leases.set(id, { caller, expiresAt });
  }

  release(id: string, expiresAt: number): void {
    const lease = this.#leases.get(id);
    this.#invalidate();
    if (lease) lease.expiresAt = expiresAt;
  }

  /** Returns the leases that are active at this time, and removes the expired ones. */
  active(now: number): ReadonlyMap<string, Lease> {
    if (this.#nextExpiry > now) return this.#leases;
    this.#nextExpiry = Infinity;
    this.#hasInFlight = false;
    this.#countsByCaller = undefined;
    for (const [id, { expiresAt }] of this.#leases)
      if (expiresAt <= now) this.#leases.delete(id);
      else if (expiresAt === IN_FLIGHT) this.#hasInFlight = true;
      else this.#nextExpiry = Math.min(this.#nextExpiry, expiresAt);
    return this.#leases;
  }

  /** Returns how many slots each caller has leased. */
  countByCaller(now: number): ReadonlyMap<string, number> {
    const leases = this.active(now);
    if (this.#countsByCaller) return this.#countsByCaller;
    const counts = new Map<string, number>();
    for (const { caller } of leases.values()) counts.set(caller, (counts.get(caller) ?? 0) + 1);
    this.#countsByCaller = counts;
    return counts;
  }

  /** Returns when each of at least `slots` slots becomes free, but not before `availableFrom`. */
  expiryTimes(slots: number, availableFrom: number, now: number): number[] {
    const expiryTimes = Array.from(this.active(now).values(), ({ expiresAt }) =>
      Math.max(expiresAt, availableFrom),
    );
    while (expiryTimes.length < slots) expiryTimes.push(availableFrom);
    return expiryTimes;
  }

  /** Returns when the next released lease expires; Infinity if there is none. */
  nextExpiry(now: number): number {
    this.active(now);
    return this.#nextExpiry;
  }

  /** Returns the earliest time at which any lease can expire, leases in flight included. */
  earliestExpiry(now: number): number {
    const nextExpiry = this.nextExpiry(now);
    return this.#hasInFlight ? Math.min(nextExpiry, now + MIN_HOLD_MS) : nextExpiry;
  }

  #invalidate(): void {
    this.#version += 1;
    this.#countsByCaller = undefined;
    this.#nextExpiry = -Infinity;
  }
}
