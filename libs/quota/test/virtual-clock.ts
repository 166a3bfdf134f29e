import type { Clock } from '../src/clock.js';

interface TimerEvent {
  at: number;
  run: () => void;
}

/** So many events at one time are an endless loop. */
const MAX_EVENTS_AT_ONCE = 10_000;

/** A clock that a test advances. Promises settle after each event. */
export class VirtualClock implements Clock {
  #now = 0;
  // In order of time; events of the same time in order of creation.
  readonly #events: TimerEvent[] = [];

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, callback: () => void): () => void {
    const event = { at: this.#now + Math.max(0, ms), run: callback };
    this.#events.splice(this.#indexAfter(event.at), 0, event);
    return () => {
      const index = this.#events.indexOf(event, Math.max(0, this.#indexAfter(event.at - 1e-9)));
      if (index !== -1) this.#events.splice(index, 1);
    };
  }

  /** Returns the index of the first event after this time. */
  #indexAfter(time: number): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.at > time) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#events.length;
  }

  /**
   * Advances the clock to `until` and runs all events up to it, in order of time.
   *
   * @throws Error when events at one time cause each other endlessly
   */
  async runUntil(until: number): Promise<void> {
    await flushPromises();
    let eventsNow = 0;
    for (let next = this.#events[0]; next && next.at <= until; next = this.#events[0]) {
      this.#events.shift();
      eventsNow = next.at === this.#now ? eventsNow + 1 : 0;
      if (eventsNow > MAX_EVENTS_AT_ONCE) throw new Error(`endless events at ${this.#now} ms`);
      this.#now = next.at;
      next.run();
      await flushPromises();
    }
    this.#now = until;
  }
}

/** Returns the clock of another machine: it starts at another time, and is faster by this rate. */
export function driftingClock(clock: Clock, startsAt: number, rate: number): Clock {
  return {
    now: () => startsAt + clock.now() * (1 + rate),
    // Whole milliseconds, as in Node.js: a timer that is due a fraction of a rounding error later would never be due.
    setTimer: (ms, callback) => clock.setTimer(Math.ceil(ms / (1 + rate)), callback),
  };
}

/** Waits longer than any promise chain of this library needs. */
async function flushPromises(): Promise<void> {
  for (let round = 0; round < 16; round += 1) await Promise.resolve();
}
