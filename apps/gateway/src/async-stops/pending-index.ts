import type { Redis } from 'ioredis';
import type { AsyncStop } from '../ingest-tasks/stop-backlog.js';
import { CallerSet } from './caller-set.js';
import { creationTimeOf, isStopId } from './stop-id.js';
import type { StopQueues } from './stop-queues.js';

/** Adds a stop, unless its caller has too many. */
const ADD = `
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], 0, ARGV[2])
redis.call('SADD', KEYS[2], ARGV[3])
return 1`;

/** A sweep checks this many stops of a caller, the oldest ones. */
const CHECKED_PER_SWEEP = 100;

/** A stop that is being stored is listed before it exists. One that is missing for this long was never stored. */
const MAX_STORING_MS = 60_000;

/** The pending stops of a caller. */
export interface PendingStops {
  readonly caller: string;
  readonly count: number;
  /** The wall clock at which the oldest one was created. */
  readonly oldestCreatedAt: number;
}

/** The ids of the pending stops of each caller, in the order of their creation, and the callers that have some. */
export class PendingIndex {
  readonly #callers: CallerSet;
  /** When a listed stop was first found missing, in milliseconds of the monotonic clock. */
  readonly #missingSince = new Map<string, number>();

  constructor(
    private readonly redis: Redis,
    private readonly queues: StopQueues,
    prefix: string,
    private readonly limitPerCaller: number,
  ) {
    this.#callers = new CallerSet(redis, `${prefix}:callers`);
  }

  /** Adds a stop. Returns false if the limit of the caller is reached. */
  async add(caller: string, id: string): Promise<boolean> {
    const keys = [this.key(caller), this.#callers.key];
    return (await this.redis.eval(ADD, keys.length, ...keys, this.limitPerCaller, id, caller)) === 1;
  }

  async remove(caller: string, id: string): Promise<void> {
    await this.redis.zrem(this.key(caller), id);
  }

  /** Returns the pending stops of every caller that may have some. */
  async summary(): Promise<PendingStops[]> {
    return Promise.all(
      (await this.#callers.members()).map(async (caller) => {
        const [count, [oldest]] = await Promise.all([
          this.redis.zcard(this.key(caller)),
          this.redis.zrange(this.key(caller), '0', '0'),
        ]);
        const oldestCreatedAt =
          oldest !== undefined && isStopId(oldest) ? creationTimeOf(oldest) : Date.now();
        return { caller, count, oldestCreatedAt };
      }),
    );
  }

  /**
   * Lists pending stops of a caller in the order of their creation.
   *
   * @param after the id after which the page begins
   * @returns lastId if there can be more
   */
  async page(
    caller: string,
    after: string | undefined,
    limit: number,
  ): Promise<{ readonly stops: readonly AsyncStop[]; readonly lastId: string | undefined }> {
    const start = after === undefined ? '-' : `(${after}`;
    const ids = await this.redis.zrangebylex(this.key(caller), start, '+', 'LIMIT', 0, limit);
    const stops = await Promise.all(ids.map((id) => this.queues.read(caller, id)));
    return {
      stops: stops.filter((stop) => stop?.status === 'pending') as AsyncStop[],
      lastId: ids.length === limit ? ids.at(-1) : undefined,
    };
  }

  /** Removes stops that are not pending or do not exist, and callers without pending stops. */
  async sweep(monotonicNow: number): Promise<void> {
    // Another replica may have removed them.
    for (const [id, since] of this.#missingSince)
      if (monotonicNow - since > 2 * MAX_STORING_MS) this.#missingSince.delete(id);
    for (const caller of await this.#callers.members()) {
      await this.#removeMissing(caller, monotonicNow);
      const { wait, active, delayed } = this.queues.backend(caller).keys;
      const isRemoved = await this.#callers.removeUnused(caller, [
        this.key(caller),
        wait!,
        active!,
        delayed!,
      ]);
      if (isRemoved) this.queues.forget(caller);
    }
  }

  key(caller: string): string {
    return this.queues.backend(caller).toKey('pending');
  }

  async #removeMissing(caller: string, now: number): Promise<void> {
    for (const id of await this.redis.zrange(this.key(caller), '0', String(CHECKED_PER_SWEEP - 1))) {
      const stop = await this.queues.read(caller, id);
      if (stop?.status === 'pending') this.#missingSince.delete(id);
      else if (stop) await this.remove(caller, id);
      else if (!this.#missingSince.has(id)) this.#missingSince.set(id, now);
      else if (now - this.#missingSince.get(id)! > MAX_STORING_MS) {
        this.#missingSince.delete(id);
        await this.remove(caller, id);
      }
    }
  }
}
