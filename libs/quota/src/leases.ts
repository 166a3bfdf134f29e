import { AT_LEAST_MS, IN_FLIGHT } from './earliest.js';

/** A slot that is taken. */
export interface Lease {
  readonly caller: string;
  /** When the slot is free again; {@link IN_FLIGHT} while its call has no answer. */
  freeAt: number;
}

/** The slots that are taken, by id. */
export class Leases {
  readonly #leases = new Map<string, Lease>();

  #version = 0;
  /** Until then none need be looked at, and a flood asks a thousand times in between; -Infinity: not known. */
  #nextEnd = -Infinity;
  #anyInFlight = false;
  #inUse: ReadonlyMap<string, number> | undefined;

  /** Grows with every change that is not the mere passing of time. */
  get version(): number {
    return this.#version;
  }

  enter(id: string, caller: string, freeAt = IN_FLIGHT): void {
    this.#change();
    this.#leases.set(id, { caller, freeAt });
  }

  /** The lease under this id ends at this time. */
  end(id: string, freeAt: number): void {
    const lease = this.#leases.get(id);
    this.#change();
    if (lease) lease.freeAt = freeAt;
  }

  /** Those that are taken at this time; the others are forgotten. */
  at(now: number): ReadonlyMap<string, Lease> {
    if (this.#nextEnd > now) return this.#leases;
    this.#nextEnd = Infinity;
    this.#anyInFlight = false;
    this.#inUse = undefined;
    for (const [id, { freeAt }] of this.#leases)
      if (freeAt <= now) this.#leases.delete(id);
      else if (freeAt === IN_FLIGHT) this.#anyInFlight = true;
      else this.#nextEnd = Math.min(this.#nextEnd, freeAt);
    return this.#leases;
  }

  /** How many slots each caller has. */
  inUse(now: number): ReadonlyMap<string, number> {
    const leases = this.at(now);
    if (this.#inUse) return this.#inUse;
    const counts = new Map<string, number>();
    for (const { caller } of leases.values()) counts.set(caller, (counts.get(caller) ?? 0) + 1);
    this.#inUse = counts;
    return counts;
  }

  /** When each of at least so many slots is free again; free ones at `free`. */
  freeAt(slots: number, free: number, now: number): number[] {
    const times = Array.from(this.at(now).values(), ({ freeAt }) => Math.max(freeAt, free));
    while (times.length < slots) times.push(free);
    return times;
  }

  /** When the next one ends for certain; Infinity when that depends on answers still to come. */
  nextEnd(now: number): number {
    this.at(now);
    return this.#nextEnd;
  }

  /** The earliest time at which one of those taken may be free: each refusal asks for it. */
  firstEnd(now: number): number {
    const known = this.nextEnd(now);
    return this.#anyInFlight ? Math.min(known, now + AT_LEAST_MS) : known;
  }

  #change(): void {
    this.#version += 1;
    this.#inUse = undefined;
    this.#nextEnd = -Infinity;
  }
}
