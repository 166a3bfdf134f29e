import type { Ask } from './slot-source.js';

/** One slot that is wanted: by one call, or by several that share it. */
export interface Place<Waiter> {
  readonly caller: string;
  readonly sharing: object | undefined;
  readonly waiters: Waiter[];
  /** Whether it was refused a slot once and is among those that wait. */
  seated: boolean;
}

interface Line<Waiter> {
  readonly places: Place<Waiter>[];
  /** How many of them came since the last ask. */
  fresh: number;
}

/** Who waits: a line for each caller, first come first served; the callers take turns. */
export class WaitingLine<Waiter> {
  // In order of turns: whoever was served goes to the end.
  readonly #lines = new Map<string, Line<Waiter>>();
  #seated = 0;

  get empty(): boolean {
    return this.#lines.size === 0;
  }

  /** How many places are seated. */
  get seated(): number {
    return this.#seated;
  }

  /** @param sharing the calls of a caller that bring the same object want one slot together */
  add(caller: string, waiter: Waiter, sharing?: object): Place<Waiter> {
    const line = this.#lines.get(caller) ?? { places: [], fresh: 0 };
    this.#lines.set(caller, line);
    const same = sharing && line.places.find((place) => place.sharing === sharing);
    if (same) {
      same.waiters.push(waiter);
      return same;
    }
    const place = { caller, sharing, waiters: [waiter], seated: false };
    line.places.push(place);
    line.fresh += 1;
    return place;
  }

  seat(place: Place<Waiter>): void {
    place.seated = true;
    this.#seated += 1;
  }

  /** Takes one call out, and its place when it was the last there. @returns whether it was there */
  remove(place: Place<Waiter>, waiter: Waiter): boolean {
    const index = place.waiters.indexOf(waiter);
    if (index === -1) return false;
    place.waiters.splice(index, 1);
    if (place.waiters.length === 0) this.#clear(place);
    return true;
  }

  /** Whose turn it is, but for these callers. */
  next(except: ReadonlySet<string>): string | undefined {
    for (const caller of this.#lines.keys()) if (!except.has(caller)) return caller;
    return undefined;
  }

  /** What to ask for on behalf of this caller. */
  ask(caller: string): Ask {
    const line = this.#lines.get(caller);
    const ask = { caller, fresh: line?.fresh ?? 0, wanted: line?.places.length ?? 0 };
    if (line) line.fresh = 0;
    return ask;
  }

  /** Takes the first place of this caller's out, with its calls, and the caller's turn is over. */
  shift(caller: string): Waiter[] {
    const line = this.#lines.get(caller);
    const place = line?.places[0];
    if (!line || !place) return [];
    this.#clear(place);
    if (this.#lines.delete(caller)) this.#lines.set(caller, line);
    return place.waiters.splice(0);
  }

  of(caller: string): readonly Place<Waiter>[] {
    return this.#lines.get(caller)?.places ?? [];
  }

  *[Symbol.iterator](): Generator<readonly [Place<Waiter>, Waiter]> {
    for (const { places } of this.#lines.values())
      for (const place of places) for (const waiter of place.waiters) yield [place, waiter];
  }

  /** How many slots at least are lent before this one, which stands behind so many of its caller's own. */
  turnOf(caller: string, behind: number): number {
    let turn = behind;
    for (const [other, { places }] of this.#lines)
      if (other !== caller) turn += Math.min(places.length, behind);
    return turn;
  }

  /** The places that are seated of the caller with the most of them. */
  longest(): readonly Place<Waiter>[] {
    let longest: readonly Place<Waiter>[] = [];
    for (const caller of this.#lines.keys()) {
      const seated = this.seatedOf(caller);
      if (seated.length > longest.length) longest = seated;
    }
    return longest;
  }

  seatedOf(caller: string): readonly Place<Waiter>[] {
    return this.of(caller).filter(({ seated }) => seated);
  }

  #clear(place: Place<Waiter>): void {
    if (place.seated) this.#seated -= 1;
    const line = this.#lines.get(place.caller)!;
    line.places.splice(line.places.indexOf(place), 1);
    if (line.places.length === 0) this.#lines.delete(place.caller);
  }
}
