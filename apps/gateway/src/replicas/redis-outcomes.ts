import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { KNOWN_FOR_MS, MOST_KNOWN, type OutcomesElsewhere } from '../ingest-tasks/known-outcomes.js';

const LOOK_AGAIN_MS = 5000;
const RETRY_MS = 200;

type Entry = [id: string, fields: string[]];

/**
 * Tasks that have ended, as a stream in Redis that every replica writes to and follows. A call need not ask: what
 * others have learned is here already. While Redis is away, a call is made that might have been spared.
 *
 * @see https://redis.io/docs/latest/develop/data-types/streams/
 */
export class RedisOutcomes implements OutcomesElsewhere {
  readonly #key: string;
  #closed = false;

  /**
   * @param reader a connection of its own: it waits for news most of the time
   * @param scope the endpoint and the action
   */
  constructor(
    private readonly writer: Redis,
    private readonly reader: Redis,
    scope: string,
  ) {
    this.#key = `ingest-gateway:{${scope}}:ended`;
    for (const redis of [writer, reader]) {
      // That Redis is away is told by the quota.
      redis.on('error', () => {});
      redis.connect().catch(() => {});
    }
  }

  follow(heard: (task: string, requestId: string, agoMs: number) => void): void {
    void this.#follow(heard);
  }

  tell(task: string, requestId: string): void {
    const told = this.writer.xadd(this.#key, 'MAXLEN', '~', MOST_KNOWN, '*', task, requestId);
    told.then(() => this.writer.pexpire(this.#key, KNOWN_FOR_MS)).catch(() => {});
  }

  close(): void {
    this.#closed = true;
    this.writer.disconnect();
    this.reader.disconnect();
  }

  async #follow(heard: (task: string, requestId: string, agoMs: number) => void): Promise<void> {
    let last = `${Date.now() - KNOWN_FOR_MS}`;
    while (!this.#closed) {
      for (const [id, [task = '', requestId = '']] of await this.#news(last)) {
        heard(task, requestId, Date.now() - Number(id.split('-', 1)[0]));
        last = id;
      }
    }
  }

  async #news(last: string): Promise<Entry[]> {
    try {
      const news = await this.reader.xread('COUNT', 1000, 'BLOCK', LOOK_AGAIN_MS, 'STREAMS', this.#key, last);
      return news?.[0]?.[1] ?? [];
    } catch (error) {
      // A connection over which nothing comes any more does not end by itself.
      if (!this.#closed && (error as Error).message === 'Command timed out') this.reader.disconnect(true);
      await sleep(RETRY_MS);
      return [];
    }
  }
}
