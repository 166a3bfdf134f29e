/**
 * Runs a limited number of callbacks per turn of the event loop, first come first served. So turns stay short, and new
 * connections are accepted: Node.js accepts one per turn.
 */
export class PacedQueue {
  readonly #callbacks = new Set<() => void>();
  #isScheduled = false;

  constructor(private readonly maxPerTurn: number) {}

  /** Adds a callback, unless it is waiting already. */
  add(callback: () => void): void {
    this.#callbacks.add(callback);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#runTurn());
  }

  #runTurn(): void {
    this.#isScheduled = false;
    for (const callback of [...this.#callbacks].slice(0, this.maxPerTurn)) {
      this.#callbacks.delete(callback);
      callback();
    }
    const [next] = this.#callbacks;
    if (next) this.add(next);
  }
}
