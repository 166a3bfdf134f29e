import { LRUCache } from 'lru-cache';

/** A task that has been stopped stays so: long enough for whoever repeats the call. */
export const KNOWN_FOR_MS = 10 * 60 * 1000;

/** At about 300 bytes each. */
export const MOST_KNOWN = 10_000;

/** Where replicas tell each other of tasks that have ended. */
export interface OutcomesElsewhere {
  /** @param heard is told each task that has ended, what the cloud's RequestId was, and how long ago in milliseconds */
  follow(heard: (task: string, requestId: string, agoMs: number) => void): void;
  tell(task: string, requestId: string): void;
  close(): void;
}

/** Tasks that are known to have ended, with the cloud's RequestId of the call that said so. */
export class KnownOutcomes {
  readonly #ended = new LRUCache<string, string>({ max: MOST_KNOWN, ttl: KNOWN_FOR_MS });

  constructor(private readonly elsewhere?: OutcomesElsewhere) {
    elsewhere?.follow((task, requestId, agoMs) => {
      const ttl = Math.min(KNOWN_FOR_MS, KNOWN_FOR_MS - agoMs);
      if (ttl > 0) this.#ended.set(task, requestId, { ttl });
    });
  }

  of(task: string): string | undefined {
    return this.#ended.get(task);
  }

  ended(task: string, requestId: string): void {
    this.#ended.set(task, requestId);
    this.elsewhere?.tell(task, requestId);
  }

  close(): void {
    this.elsewhere?.close();
  }
}
