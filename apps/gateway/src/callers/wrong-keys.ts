/** Who mistypes, or comes with yesterday's key, is told so at once. */
const FREE = 3;

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 2000;

/** After so long without a wrong key, an address begins anew. */
const FORGET_AFTER_MS = 60_000;

/** Addresses remembered; beyond that the one that was quiet for longest is forgotten. */
const REMEMBERED = 10_000;

/** Answers that may be held back at once, of one address and in all: each one holds a connection and a timer. */
const HELD_PER_ADDRESS = 20;
const HELD_IN_ALL = 500;

interface History {
  wrong: number;
  held: number;
  last: number;
}

/**
 * Holds back the answers to wrong keys, longer with each one that comes from the same address. Right keys are not
 * its business, so nobody's guesses keep anybody else out, not even from the same address.
 */
export class WrongKeys {
  // In the order in which the addresses were last heard of.
  readonly #histories = new Map<string, History>();
  #held = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(private readonly now: () => number) {}

  /**
   * Notes a wrong key.
   *
   * @returns how long to hold back the answer, in milliseconds, each such hold ended with {@link released};
   *   undefined when too many are held already
   */
  note(address: string): number | undefined {
    const history = this.#historyOf(address);
    history.wrong += 1;
    if (history.wrong <= FREE) return 0;
    if (this.#full(history)) return undefined;
    history.held += 1;
    this.#held += 1;
    return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (history.wrong - FREE - 1));
  }

  /** Notes a wrong key where too many are held already. @returns whether it was so; nothing is noted otherwise */
  noteOneTooMany(address: string): boolean {
    const history = this.#histories.get(address);
    if (!history || history.wrong < FREE || this.#forgotten(history) || !this.#full(history)) return false;
    this.note(address);
    return true;
  }

  released(address: string): void {
    this.#held -= 1;
    const history = this.#histories.get(address);
    if (history) history.held -= 1;
  }

  #full({ held }: History): boolean {
    return held >= HELD_PER_ADDRESS || this.#held >= HELD_IN_ALL;
  }

  #forgotten({ held, last }: History): boolean {
    return held === 0 && this.now() - last > FORGET_AFTER_MS;
  }

  #historyOf(address: string): History {
    const now = this.now();
    let history = this.#histories.get(address);
    if (!history || this.#forgotten(history)) history = { wrong: 0, held: 0, last: now };
    history.last = now;
    this.#histories.delete(address);
    this.#histories.set(address, history);
    if (this.#histories.size > REMEMBERED) this.#histories.delete(this.#histories.keys().next().value!);
    return history;
  }
}
