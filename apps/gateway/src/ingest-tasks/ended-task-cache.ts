import { LRUCache } from 'lru-cache';

/** A stopped task stays stopped, so this only has to be long enough for callers that retry. */
export const TTL_MS = 10 * 60 * 1000;

/** About 300 bytes each. */
export const MAX_ENTRIES = 10_000;

/** Shares ended tasks among replicas. */
export interface EndedTaskFeed {
  /** @param received called with each ended task, the cloud's RequestId, and the time since its end in milliseconds */
  subscribe(received: (task: string, requestId: string, ageMs: number) => void): void;
  publish(task: string, requestId: string): void;
  close(): void;
}

/** Tasks that are known to have ended, with the cloud's RequestId of the call that stopped them. */
export class EndedTaskCache {
  readonly #requestIds = new LRUCache<string, string>({ max: MAX_ENTRIES, ttl: TTL_MS });

  constructor(private readonly feed?: EndedTaskFeed) {
    feed?.subscribe((task, requestId, ageMs) => {
      const ttl = Math.min(TTL_MS, TTL_MS - ageMs);
      if (ttl > 0) this.#requestIds.set(task, requestId, { ttl });
    });
  }

  get(task: string): string | undefined {
    return this.#requestIds.get(task);
  }

  add(task: string, requestId: string): void {
    this.#requestIds.set(task, requestId);
    this.feed?.publish(task, requestId);
  }

  close(): void {
    this.feed?.close();
  }
}
