import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type EndedTaskFeed, MAX_ENTRIES, TTL_MS } from './ended-task-cache.js';

const BLOCK_MS = 5000;
const RETRY_INTERVAL_MS = 200;

type Entry = [id: string, fields: string[]];

/**
 * A Redis stream of ended tasks that every replica appends to and reads, so that a stop never waits for Redis. While
 * Redis is unavailable, replicas may call the cloud for tasks that have already ended.
 *
 * @see https://redis.io/docs/latest/develop/data-types/streams/
 */
export class RedisEndedTaskFeed implements EndedTaskFeed {
  readonly #key: string;
  #closed = false;

  /**
   * @param reader a separate connection, because it blocks most of the time
   * @param quotaKey the endpoint and the action
   * @param storeTime the clock of the slot store, because that of Redis can step; undefined before it is known
   */
  constructor(
    private readonly writer: Redis,
    private readonly reader: Redis,
    quotaKey: string,
    private readonly storeTime: () => number | undefined,
  ) {
    this.#key = `ingest-gateway:{${quotaKey}}:ended`;
    for (const redis of [writer, reader]) {
      // The quota reports that Redis is unavailable.
      redis.on('error', () => {});
      redis.connect().catch(() => {});
    }
  }

  subscribe(received: (task: string, requestId: string, ageMs: number) => void): void {
    void this.#read(received);
  }

  publish(task: string, requestId: string): void {
    const endedAt = Math.floor(this.storeTime() ?? 0);
    const fields = [task, requestId, 'endedAt', endedAt];
    const published = this.writer.xadd(this.#key, 'MAXLEN', '~', MAX_ENTRIES, '*', ...fields);
    published.then(() => this.writer.pexpire(this.#key, TTL_MS)).catch(() => {});
  }

  close(): void {
    this.#closed = true;
    this.writer.disconnect();
    this.reader.disconnect();
  }

  async #read(received: (task: string, requestId: string, ageMs: number) => void): Promise<void> {
    while (!this.#closed && this.storeTime() === undefined) await sleep(RETRY_INTERVAL_MS);
    let last = '0';
    while (!this.#closed) {
      for (const [id, [task = '', requestId = '', , endedAt]] of await this.#entriesAfter(last)) {
        // While the time is not known, an entry has just arrived. An entry of an earlier version has no time: no age.
        received(task, requestId, (this.storeTime() ?? Number(endedAt)) - Number(endedAt));
        last = id;
      }
    }
  }

  async #entriesAfter(last: string): Promise<Entry[]> {
    try {
      const read = await this.reader.xread('COUNT', 1000, 'BLOCK', BLOCK_MS, 'STREAMS', this.#key, last);
      return read?.[0]?.[1] ?? [];
    } catch (error) {
      // A half-open connection does not close by itself.
      if (!this.#closed && (error as Error).message === 'Command timed out') this.reader.disconnect(true);
      await sleep(RETRY_INTERVAL_MS);
      return [];
    }
  }
}
