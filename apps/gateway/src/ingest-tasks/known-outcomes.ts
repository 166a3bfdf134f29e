import { LRUCache } from 'lru-cache';

/** A task that has been stopped stays so: long enough for whoever repeats the call. */
export const KNOWN_FOR_MS = 10 * 60 * 1000;

/** At about 300 bytes each. */
const MOST = 10_000;

/** Where replicas tell each other of tasks that have ended; it may fail, and is then as if it knew nothing. */
export interface OutcomesElsewhere {
  find(task: string): Promise<string | undefined>;
  tell(task: string, requestId: string): void;
  close(): void;
}

/** Tasks that are known to have ended, with the cloud's RequestId of the call that said so. */
export class KnownOutcomes {
  readonly #here = new LRUCache<string, string>({ max: MOST, ttl: KNOWN_FOR_MS });

  constructor(private readonly elsewhere?: OutcomesElsewhere) {}

  here(task: string): string | undefined {
    return this.#here.get(task);
  }

  /** Asks the other replicas, too. */
  async anywhere(task: string): Promise<string | undefined> {
    const requestId = this.here(task) ?? (await this.elsewhere?.find(task));
    if (requestId !== undefined) this.#here.set(task, requestId);
    return requestId;
  }

  ended(task: string, requestId: string): void {
    this.#here.set(task, requestId);
    this.elsewhere?.tell(task, requestId);
  }

  close(): void {
    this.elsewhere?.close();
  }
}
