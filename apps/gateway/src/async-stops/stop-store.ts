import { createHash, randomUUID } from 'node:crypto';
import type { MinimalJob } from 'bullmq';
import type { Redis } from 'ioredis';
import type { AsyncStop } from '../ingest-tasks/stop-backlog.js';
import type { TaskRef } from '../ingest-tasks/stop-coalescer.js';
import { FinishedStops, type FinishedStopsOptions, type StopPage } from './finished-stops.js';
import type { ListRequest } from './list-request.js';
import { PendingIndex, type PendingStops } from './pending-index.js';
import { createStopId } from './stop-id.js';
import { GONE_CODES, hasCode, ignoreCodes, LOST_LOCK_CODES, StopQueues } from './stop-queues.js';
import { type FinishedRecord, parsePendingRecord, type PendingRecord, toAsyncStop } from './stop-record.js';

/** Without a lock token, BullMQ does not check who holds the lock. */
const ANY_TOKEN = '0';

/** BullMQ orders delayed stops by a score: the wall clock at which one is due, times this. */
const SCORES_PER_MS = 0x1000;

/** How many delayed stops of a caller are made available at once whose delay is too long. */
const MAX_PROMOTED = 500;

export interface StopStoreOptions extends FinishedStopsOptions {
  /** The prefix of all keys, with one hash tag: Redis Cluster keeps the keys on one node. */
  readonly prefix: string;
  /** How many stops of a caller may be pending. */
  readonly limitPerCaller: number;
  /** How long an execution may take. Then another replica may take the stop over. */
  readonly lockMs: number;
  /** No stop waits longer for its next execution. */
  readonly maxDelayMs: number;
}

/** A stop that this replica executes. */
export interface TakenStop {
  readonly id: string;
  readonly caller: string;
  readonly record: PendingRecord;
  /** Whether an earlier execution, whose result is unknown, may have stopped the task. */
  readonly mayHaveStopped: boolean;
  readonly token: string;
}

/**
 * Stops in Redis: one BullMQ queue for each caller, over one connection. BullMQ has the order, the locks, the delays and
 * the recovery from crashes. Next to each queue, an index lists the pending stops in the order of their creation.
 *
 * Every method rejects while Redis is unavailable. Import this module on demand, because it loads BullMQ.
 */
export class StopStore {
  readonly #replica = randomUUID();
  readonly #queues: StopQueues;
  readonly #pending: PendingIndex;
  readonly #finished: FinishedStops;
  #taken = 0;

  /** @param redis a connection that is established elsewhere */
  constructor(
    private readonly redis: Redis,
    private readonly options: StopStoreOptions,
  ) {
    const { prefix, limitPerCaller, lockMs } = options;
    this.#queues = StopQueues.create(redis, prefix, lockMs);
    this.#pending = new PendingIndex(redis, this.#queues, prefix, limitPerCaller);
    this.#finished = new FinishedStops(redis, this.#queues, prefix, options);
  }

  /**
   * Stores a stop, unless the same caller has a pending one for the task.
   *
   * @returns undefined if the limit of pending stops of the caller is reached
   */
  async add(caller: string, record: PendingRecord): Promise<AsyncStop | undefined> {
    const queue = this.#queues.queue(caller);
    const duplicateId = hashOf(record);
    const existingId = await queue.getDeduplicationJobId(duplicateId);
    const existing = existingId ? await this.get(caller, existingId) : undefined;
    if (existing?.status === 'pending') return existing;
    const id = createStopId(Date.now());
    // Listed first: what is stored is never forgotten, and never more than the limit.
    if (!(await this.#pending.add(caller, id))) return undefined;
    const job = await queue.add('stop', record, { jobId: id, deduplication: { id: duplicateId } });
    if (job.id === id) return toAsyncStop(id, record);
    this.#pending.remove(caller, id).catch(() => {});
    const first = await this.get(caller, job.id!);
    if (!first) throw new Error('the pending stop of the task has just been removed');
    return first;
  }

  /** Returns a stop of a caller; undefined if the caller has no such stop. */
  get(caller: string, id: string): Promise<AsyncStop | undefined> {
    return this.#queues.read(caller, id);
  }

  /**
   * Lists stops of a caller: first the pending ones in the order of their creation, then the finished ones, the last one
   * first. A page can have fewer stops than the limit although there are more.
   */
  async list(caller: string, request: ListRequest): Promise<StopPage> {
    const { status, limit, cursor } = request;
    const isAfterPending = cursor?.startsWith('f') ?? false;
    if (!isAfterPending && (status === undefined || status === 'pending')) {
      const { stops, lastId } = await this.#pending.page(caller, cursor?.slice(1), limit);
      if (lastId !== undefined) return { stops, nextCursor: `p${lastId}` };
      if (status === 'pending') return { stops, nextCursor: undefined };
      const finished = await this.#listFinished(caller, { status, limit: limit - stops.length, cursor: '' });
      return { stops: [...stops, ...finished.stops], nextCursor: finished.nextCursor };
    }
    if (status === 'pending') return { stops: [], nextCursor: undefined };
    return this.#listFinished(caller, { ...request, cursor: isAfterPending ? cursor!.slice(1) : '' });
  }

  async #listFinished(caller: string, request: ListRequest): Promise<StopPage> {
    const { stops, nextCursor } = await this.#finished.page(caller, request);
    return { stops, nextCursor: nextCursor === undefined ? undefined : `f${nextCursor}` };
  }

  /** Returns the wall clock at which the next stop of a caller is due: 0 if one waits, Infinity if there is none. */
  async nextDueAt(caller: string): Promise<number> {
    const { wait, delayed } = this.#queues.backend(caller).keys;
    const [waiting, [, score]] = await Promise.all([
      this.redis.llen(wait!),
      this.redis.zrange(delayed!, '0', '0', 'WITHSCORES'),
    ]);
    if (waiting > 0) return 0;
    return score === undefined ? Infinity : Math.floor(Number(score) / SCORES_PER_MS);
  }

  /**
   * Takes the next stop of a caller. It is locked, and Redis has stored that it may be sent, before this method returns.
   *
   * @returns undefined if no stop is due
   */
  async take(caller: string): Promise<TakenStop | undefined> {
    this.#taken += 1;
    const token = `${this.#replica}:${this.#taken}`;
    const [job, id] = (await this.#queues.backend(caller).moveToActive(token)) as [
      { data: string; attemptsStarted: number } | null | undefined,
      string,
    ];
    if (!job) return undefined;
    const record = parsePendingRecord(job.data);
    if (record) {
      const mayHaveStopped = job.attemptsStarted - 1 > record.ineffectiveStarts;
      return { id, caller, record, mayHaveStopped, token };
    }
    await this.#queues.backend(caller).moveToCompleted(minimalJob(id), null, true, token, false);
    await this.#pending.remove(caller, id);
    return undefined;
  }

  /** Returns a taken stop, to be executed again after a delay. Has no effect if another replica has taken it over. */
  async postpone({ id, caller, token }: TakenStop, record: PendingRecord, delayMs: number): Promise<void> {
    const fieldsToUpdate = { data: JSON.stringify(record) };
    const moved = this.#queues.backend(caller).moveToDelayed(id, Date.now(), delayMs, token, {
      skipAttempt: true,
      fieldsToUpdate,
    });
    await ignoreCodes(moved, [...LOST_LOCK_CODES, ...GONE_CODES]);
  }

  /**
   * Stores the end of a taken stop, also if another replica has taken it over in the meantime: the end is final.
   *
   * @returns false if it has another result already, or if another replica has postponed it
   */
  async finish({ id, caller, token }: TakenStop, finished: FinishedRecord): Promise<boolean> {
    const backend = this.#queues.backend(caller);
    const move = (lockToken: string) =>
      backend.moveToCompleted(minimalJob(id), finished, false, lockToken, false);
    try {
      await move(token).catch((error: unknown) => {
        if (hasCode(error, LOST_LOCK_CODES)) return move(ANY_TOKEN);
        throw error;
      });
    } catch (error) {
      if (!hasCode(error, GONE_CODES)) throw error;
      // A stop that is waiting again must stay in the index. The response to an earlier try may have been lost.
      const job = await backend.getJobData(id);
      if (job?.finishedOn === undefined || job.returnvalue !== JSON.stringify(finished)) return false;
    }
    const unlisted = this.redis
      .multi()
      .zrem(this.#pending.key(caller), id)
      .sadd(this.#finished.callers.key, caller)
      .exec();
    await assertNoError(unlisted);
    return true;
  }

  /** Returns the pending stops of every caller that may have some. */
  pending(): Promise<PendingStops[]> {
    return this.#pending.summary();
  }

  /** Makes stops available again whose replica has died. */
  async recover(caller: string): Promise<void> {
    await this.#queues.backend(caller).moveStalledJobsToWait();
    // A delay ends by the wall clock of a replica. One that was set by a wrong clock must not last.
    const { delayed } = this.#queues.backend(caller).keys;
    const latest = (Date.now() + 2 * this.options.maxDelayMs) * SCORES_PER_MS;
    for (const id of await this.redis.zrangebyscore(delayed!, latest, '+inf', 'LIMIT', 0, MAX_PROMOTED))
      await ignoreCodes(this.#queues.backend(caller).promote(id), GONE_CODES);
  }

  /**
   * Removes finished stops that are too old or too many, and stops from the index that do not exist.
   *
   * @param now milliseconds of the backlog clock
   */
  async sweep(now: number, monotonicNow: number): Promise<void> {
    await this.#finished.sweep(now);
    await this.#pending.sweep(monotonicNow);
  }

  close(): void {
    this.redis.disconnect();
  }
}

/** The same task of the same caller must not be stored twice. */
function hashOf({ sdkAppId, region, taskId }: TaskRef): string {
  return createHash('sha256').update(`${sdkAppId}/${region}/${taskId}`).digest('hex');
}

/** BullMQ needs no more of a job to finish it. */
function minimalJob(id: string): MinimalJob {
  return { id, opts: {} } as MinimalJob;
}

/** A transaction resolves although one of its commands failed. */
async function assertNoError(transaction: Promise<[Error | null, unknown][] | null>): Promise<void> {
  const failed = (await transaction)?.find(([error]) => error);
  if (failed) throw failed[0]!;
}
