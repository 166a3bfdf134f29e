import type { Ask } from './slot-source.js';

interface Line<Waiter> {
  readonly waiters: Waiter[];
  /** How many of them came since the last ask. */
  fresh: number;
}

/** Who waits: a line for each caller, first come first served; the callers take turns. */
export class WaitingLine<Waiter> {
  // In order of turns: whoever was served goes to the end.
  readonly #lines = new Map<string, Line<Waiter>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(caller: string, waiter: Waiter): void {
    const line = this.#lines.get(caller) ?? { waiters: [], fresh: 0 };
    this.#lines.set(caller, line);
    line.waiters.push(waiter);
    line.fresh += 1;
    this.#size += 1;
  }

  remove(caller: string, waiter: Waiter): boolean {
    const line = this.#lines.get(caller);
    const index = line?.waiters.indexOf(waiter) ?? -1;
    if (!line || index === -1) return false;
    line.waiters.splice(index, 1);
    this.#size -= 1;
    if (line.waiters.length === 0) this.#lines.delete(caller);
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
    const ask = { caller, fresh: line?.fresh ?? 0, wanted: line?.waiters.length ?? 0 };
    if (line) line.fresh = 0;
    return ask;
  }

  /** Takes the first of this caller's out, and the caller's turn is over. */
  shift(caller: string): Waiter | undefined {
    const line = this.#lines.get(caller);
    const waiter = line?.waiters[0];
    if (!line || !waiter) return undefined;
    this.remove(caller, waiter);
    if (this.#lines.delete(caller)) this.#lines.set(caller, line);
    return waiter;
  }

  of(caller: string): readonly Waiter[] {
    return this.#lines.get(caller)?.waiters ?? [];
  }

  *[Symbol.iterator](): Generator<Waiter> {
    for (const { waiters } of this.#lines.values()) yield* waiters;
  }

  /** How many calls at least are served before this one, which stands behind so many of its caller's own. */
  placeOf(caller: string, behind: number): number {
    let place = behind;
    for (const [other, { waiters }] of this.#lines)
      if (other !== caller) place += Math.min(waiters.length, behind);
    return place;
  }

  /** The caller with the most calls waiting. */
  longest(): string | undefined {
    let longest: string | undefined;
    for (const [caller, { waiters }] of this.#lines)
      if (longest === undefined || waiters.length > this.of(longest).length) longest = caller;
    return longest;
  }
}
