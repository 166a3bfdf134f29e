import type { Clock } from '../src/clock.js';

/** A clock that stands still until it is moved; whoever waits is called back in order. */
export class HandWoundClock implements Clock {
  #now = 0;
  #waiting: { at: number; callback: () => void }[] = [];

  constructor(readonly startMs = Date.UTC(2026, 0, 1)) {}

  now(): number {
    return this.#now;
  }

  epochMs(): number {
    return this.startMs + this.#now;
  }

  wakeIn(ms: number, callback: () => void): () => void {
    const entry = { at: this.#now + ms, callback };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
    };
  }

  move(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const [next] = this.#waiting.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at);
      if (!next) break;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = until;
  }
}
