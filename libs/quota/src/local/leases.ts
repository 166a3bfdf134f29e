import { MIN_HOLD_MS, IN_FLIGHT } from './earliest-grant.js';

/** A slot that is taken. */
export interface Lease {
  readonly caller: string;
  /** When the slot is free again; {@link IN_FLIGHT} while its call has no answer. */
  expiresAt: number;
}

/** The slots that are taken, by id. */
export class Leases {
  readonly #leases = new Map<string, Lease>();

  #version = 0;
  /** Until then none need be looked at, and a flood asks a thousand times in between; -Infinity: not known. */
  #nextExpiry = -Infinity;
  #hasInFlight = false;
  #countsByCaller: ReadonlyMap<string, number> | undefined;

  /** Grows with every change that is not the mere passing of time. */
  get version(): number {
    return this.#version;
  }

  add(id: string, caller: string, expiresAt = IN_FLIGHT): void {
    this.#invalidate();
    this.#leases.set(id, { caller, expiresAt });
  }

  /** The lease under this id ends at this time. */
  release(id: string, expiresAt: number): void {
    const lease = this.#leases.get(id);
    this.#invalidate();
    if (lease) lease.expiresAt = expiresAt;
  }

  /** Those that are taken at this time; the others are forgotten. */
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

  /** How many slots each caller has. */
  countByCaller(now: number): ReadonlyMap<string, number> {
    const leases = this.active(now);
    if (this.#countsByCaller) return this.#countsByCaller;
    const counts = new Map<string, number>();
    for (const { caller } of leases.values()) counts.set(caller, (counts.get(caller) ?? 0) + 1);
    this.#countsByCaller = counts;
    return counts;
  }

  /** When each of at least so many slots is free again; free ones at `free`. */
  expiryTimes(slots: number, availableFrom: number, now: number): number[] {
    const expiryTimes = Array.from(this.active(now).values(), ({ expiresAt }) =>
      Math.max(expiresAt, availableFrom),
    );
    while (expiryTimes.length < slots) expiryTimes.push(availableFrom);
    return expiryTimes;
  }

  /** When the next one ends for certain; Infinity when that depends on answers still to come. */
  nextExpiry(now: number): number {
    this.active(now);
    return this.#nextExpiry;
  }

  /** The earliest time at which one of those taken may be free: each refusal asks for it. */
  earliestExpiry(now: number): number {
    const known = this.nextExpiry(now);
    return this.#hasInFlight ? Math.min(known, now + MIN_HOLD_MS) : known;
  }

  #invalidate(): void {
    this.#version += 1;
    this.#countsByCaller = undefined;
    this.#nextExpiry = -Infinity;
  }
}
