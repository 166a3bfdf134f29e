import { Allowance } from './allowance.js';

/** How long after an answer its slot stays taken, in milliseconds: the length of the cloud's second. */
const SECOND_MS = 1000;

/** How long a request given up without an answer may still be under way, in milliseconds. */
const GUARD_MS = 2000;

/**
 * How long a fresh process lends nothing, in milliseconds: the second, and half of one more for what a
 * predecessor had under way when it died. docs/decisions/0001-slots.md has the proof.
 */
const HOLD_AFTER_START_MS = SECOND_MS + 500;

const IN_FLIGHT = Infinity;

/**
 * One place among the calls that may arrive in any one second, lent to one upstream attempt.
 * It must be given back in exactly one of these ways; whatever comes after the first is ignored.
 */
export interface Slot {
  /** The answer has arrived: the slot frees one second from now. */
  answered(): void;
  /** Given up without an answer: the request may yet arrive, so the slot frees in 2 s + 1 s. */
  lost(): void;
  /** Nothing was sent: the slot is free again at once. */
  unused(): void;
}

/**
 * The rule, without waiting: so many slots, each free again one second after the answer to its call.
 * Then no more calls than slots arrive at the far end in any one second, whatever the network does.
 * Times are milliseconds of any clock that never goes back.
 */
export class Slots {
  // When each slot is free again. Twenty numbers: scanning them costs less than keeping them sorted.
  readonly #freeAt: Float64Array;
  readonly #allowance: Allowance;

  constructor(capacity: number, startedAt: number) {
    this.#freeAt = new Float64Array(capacity).fill(startedAt + HOLD_AFTER_START_MS);
    this.#allowance = new Allowance(capacity);
    this.openAt = startedAt + HOLD_AFTER_START_MS;
  }

  /** When the first slot may be lent: a predecessor may have used them all just before it died. */
  readonly openAt: number;

  /** How many slots there are now: all, or fewer for a while after a refusal of the far end. */
  capacity(now: number): number {
    return this.#allowance.at(now);
  }

  /** The far end refused a call that the rule allowed. @returns whether that lowered the number of slots */
  lower(now: number): boolean {
    return this.#allowance.lower(now);
  }

  /** Takes a slot at a time, or answers undefined when none is free then; `now` is asked when it is given back. */
  take(at: number, now: () => number, onReturn: () => void): Slot | undefined {
    if (this.free(at) === 0) return undefined;
    const index = this.#freeAt.findIndex((freeAt) => freeAt <= at);
    this.#freeAt[index] = IN_FLIGHT;
    let lent = true;
    const giveBack = (heldForMs: number): void => {
      if (!lent) return;
      lent = false;
      this.#freeAt[index] = now() + heldForMs;
      onReturn();
    };
    return {
      answered: () => giveBack(SECOND_MS),
      lost: () => giveBack(GUARD_MS + SECOND_MS),
      unused: () => giveBack(0),
    };
  }

  free(now: number): number {
    let taken = 0;
    for (const freeAt of this.#freeAt) if (freeAt > now) taken += 1;
    return Math.max(0, this.capacity(now) - taken);
  }

  /**
   * The earliest time at which the call in this place of a queue (0 is its head) can have a slot. A call in
   * flight counts as answered right after now, so the truth may be later but never earlier.
   */
  earliest(place: number, now: number): number {
    const atLeast = SECOND_MS + 1;
    const times = this.#freeAt.map((freeAt) => (freeAt === IN_FLIGHT ? now + atLeast : freeAt)).toSorted();
    const capacity = this.capacity(now);
    const rounds = Math.floor(place / capacity);
    // Of fewer slots than usual, the first frees when all but one of them are still taken.
    const index = (place % capacity) + times.length - capacity;
    return Math.max(now, times[index]!) + rounds * atLeast;
  }

  /** When a slot next frees for certain; Infinity when that depends on answers still to come. */
  nextReturn(now: number): number {
    let next = this.#allowance.nextStep(now);
    for (const freeAt of this.#freeAt) if (freeAt > now && freeAt < next) next = freeAt;
    return next;
  }
}
