import type { Clock } from '../src/clock.js';

/** A clock that a test advances. Due timers are called in order of time. */
export class ManualClock implements Clock {
  #now = 0;
  #timers: { dueAt: number; callback: () => void }[] = [];

  constructor(readonly startMs = Date.UTC(2026, 0, 1)) {}

  now(): number {
    return this.#now;
  }

  wallClockMs(): number {
    return this.startMs + this.#now;
  }

  setTimer(ms: number, callback: () => void): () => void {
    const entry = { dueAt: this.#now + ms, callback };
    this.#timers.push(entry);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== entry);
    };
  }

  advance(ms: number): void {
    const target = this.#now + ms;
    for (;;) {
      const [next] = this.#timers
        .filter(({ dueAt }) => dueAt <= target)
        .toSorted((a, b) => a.dueAt - b.dueAt);
      if (!next) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.dueAt);
      next.callback();
    }
    this.#now = target;
  }
}
