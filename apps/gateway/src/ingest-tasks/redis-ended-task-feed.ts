import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type EndedTaskFeed, MAX_ENTRIES, TTL_MS } from './ended-task-cache.js';
import type { EndedTaskFeedMetrics } from './ended-task-feed-metrics.js';
import { parseEndedTasks } from './parse-ended-tasks.js';

/** With valid entries, a reply of this many is far smaller than the largest that the connection accepts. */
const MAX_ENTRIES_PER_READ = 1000;
const BLOCK_MS = 5000;
const RETRY_INTERVAL_MS = 200;

/** A half-open connection shows only when something is sent over it. */
const PING_INTERVAL_MS = 5000;

/**
 * A Redis stream of ended tasks that every replica appends to and reads, so that a stop never waits for Redis. While
 * Redis is unavailable, replicas may call the cloud for tasks that have already ended.
 *
 * @see https://redis.io/docs/latest/develop/data-types/streams/
 */
export class RedisEndedTaskFeed implements EndedTaskFeed {
  readonly #key: string;
  readonly #pings: NodeJS.Timeout;
  #closed = false;
  #canRead = false;
  #canWrite = false;
  #last = '0';

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
    private readonly metrics: EndedTaskFeedMetrics,
  ) {
    this.#key = `ingest-gateway:{${quotaKey}}:ended`;
    // Nothing may be written for a long time: a new connection counts as usable until a write fails.
    writer.on('ready', () => (this.#canWrite = true));
    reader.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code !== 'reply-too-large') return;
      // The entries up to now would exceed the limit again.
      this.#last = '$';
      metrics.invalidEntries(1);
    });
    for (const redis of [writer, reader]) {
      // The quota reports that Redis is unavailable.
      redis.on('error', () => {});
      redis.connect().catch(() => {});
    }
    this.#pings = setInterval(() => void writer.ping().catch(() => {}), PING_INTERVAL_MS).unref();
    metrics.observe(() => writer.status === 'ready' && this.#canWrite && this.#canRead);
  }

  subscribe(received: (task: string, requestId: string, ageMs: number) => void): void {
    void this.#read(received);
  }

  publish(task: string, requestId: string): void {
    void this.#append(task, requestId);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#pings);
    this.writer.disconnect();
    this.reader.disconnect();
  }

  async #append(task: string, requestId: string): Promise<void> {
    try {
      const fields = [task, requestId, 'endedAt', Math.floor(this.storeTime() ?? 0)];
      await this.writer.xadd(this.#key, 'MAXLEN', '~', MAX_ENTRIES, '*', ...fields);
      await this.writer.pexpire(this.#key, TTL_MS);
      this.#canWrite = true;
    } catch {
      this.#canWrite = false;
    }
  }

  async #read(received: (task: string, requestId: string, ageMs: number) => void): Promise<void> {
    while (!this.#closed && this.storeTime() === undefined) await sleep(RETRY_INTERVAL_MS);
    while (!this.#closed) {
      const { endedTasks, invalid, lastId } = parseEndedTasks(await this.#nextEntries());
      for (const { task, requestId, endedAt } of endedTasks)
        // While the time is not known, an entry has just arrived.
        received(task, requestId, (this.storeTime() ?? endedAt) - endedAt);
      if (invalid > 0) this.metrics.invalidEntries(invalid);
      this.#last = lastId ?? this.#last;
    }
  }

  async #nextEntries(): Promise<unknown> {
    try {
      const position = [this.#key, this.#last] as const;
      const count = MAX_ENTRIES_PER_READ;
      const reply = await this.reader.xread('COUNT', count, 'BLOCK', BLOCK_MS, 'STREAMS', ...position);
      this.#canRead = true;
      return reply;
    } catch {
      this.#canRead = false;
      await sleep(RETRY_INTERVAL_MS);
      return undefined;
    }
  }
}
