import type { Clock } from '../src/clock.js';

interface Event {
  at: number;
  run: () => void;
}

/** A clock that moves only when told to, and lets promises settle after each event. */
export class VirtualClock implements Clock {
  #now = 0;
  // In order of time; of equal times, in order of their making.
  #events: Event[] = [];

  now(): number {
    return this.#now;
  }

  wakeIn(ms: number, callback: () => void): () => void {
    const event = { at: this.#now + Math.max(0, ms), run: callback };
    const later = this.#events.findIndex(({ at }) => at > event.at);
    this.#events.splice(later === -1 ? this.#events.length : later, 0, event);
    return () => {
      this.#events = this.#events.filter((other) => other !== event);
    };
  }

  get pending(): number {
    return this.#events.length;
  }

  /** Runs every event up to `until`, in order of time. */
  async runUntil(until: number): Promise<void> {
    await settled();
    for (let next = this.#events[0]; next && next.at <= until; next = this.#events[0]) {
      this.#events.shift();
      this.#now = next.at;
      next.run();
      await settled();
    }
    this.#now = until;
  }
}

/** Long enough for every chain of promises in this lib. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
}
