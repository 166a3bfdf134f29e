import type { Redis } from 'ioredis';
import type { AsyncStop } from '../ingest-tasks/stop-backlog.js';
import { CallerSet } from './caller-set.js';
import type { ListRequest } from './list-request.js';
import { parseFinishedRecord } from './stop-record.js';
import { GONE_CODES, ignoreCodes, type StopQueues } from './stop-queues.js';

/** A sweep removes at most this many stops of a caller. */
const SWEEP_SIZE = 500;

/** How many stops a page of a list reads at most to find those with a status. */
const MAX_SCANNED = 1000;

export interface FinishedStopsOptions {
  /** How long and how many finished stops of a caller are kept. */
  readonly keepMs: number;
  readonly keepCount: number;
}

export interface StopPage {
  readonly stops: readonly AsyncStop[];
  readonly nextCursor: string | undefined;
}

/** The finished stops of each caller, by the time of their end, and the callers that have some. */
export class FinishedStops {
  readonly callers: CallerSet;

  constructor(
    private readonly redis: Redis,
    private readonly queues: StopQueues,
    prefix: string,
    private readonly options: FinishedStopsOptions,
  ) {
    this.callers = new CallerSet(redis, `${prefix}:callers-with-finished`);
  }

  /**
   * Lists finished stops of a caller, the last one first. A page can have fewer stops than the limit although there are
   * more.
   *
   * @param cursor a time and an id; empty for the first page
   */
  async page(caller: string, { status, limit, cursor = '' }: ListRequest): Promise<StopPage> {
    const [lastScore = '', lastId = ''] = cursor.split('_', 2);
    const found: AsyncStop[] = [];
    const entries = await this.redis.zrevrangebyscore(
      this.#key(caller),
      lastScore === '' ? '+inf' : lastScore,
      '-inf',
      'WITHSCORES',
      'LIMIT',
      0,
      MAX_SCANNED,
    );
    let position = cursor;
    for (let index = 0; index + 1 < entries.length; index += 2) {
      const [id = '', score = ''] = entries.slice(index, index + 2);
      // Of stops with the same score, the last id is first.
      if (score === lastScore && id >= lastId) continue;
      position = `${score}_${id}`;
      const stop = await this.queues.read(caller, id);
      if (stop && stop.status !== 'pending' && (status === undefined || stop.status === status))
        found.push(stop);
      if (found.length === limit) return { stops: found, nextCursor: position };
    }
    const isEnd = entries.length < 2 * MAX_SCANNED;
    return { stops: found, nextCursor: isEnd ? undefined : position };
  }

  /**
   * Removes finished stops that are too old or too many.
   *
   * @param now milliseconds of the backlog clock
   */
  async sweep(now: number): Promise<void> {
    for (const caller of await this.callers.members()) {
      await this.#removeOld(caller, now);
      await this.callers.removeUnused(caller, [this.#key(caller)]);
    }
  }

  async #removeOld(caller: string, now: number): Promise<void> {
    const excess = (await this.redis.zcard(this.#key(caller))) - this.options.keepCount;
    const oldest = await this.redis.zrange(this.#key(caller), '0', String(SWEEP_SIZE - 1));
    for (const [index, id] of oldest.entries()) {
      if (index >= excess && !(await this.#isTooOld(caller, id, now))) return;
      await ignoreCodes(this.queues.backend(caller).remove(id, false), GONE_CODES);
    }
  }

  async #isTooOld(caller: string, id: string, now: number): Promise<boolean> {
    const job = await this.queues.backend(caller).getJobData(id);
    const finished = job && parseFinishedRecord(job.returnvalue);
    return !finished || now - finished.finishedAtMs > this.options.keepMs;
  }

  #key(caller: string): string {
    return this.queues.backend(caller).keys['completed']!;
  }
}
