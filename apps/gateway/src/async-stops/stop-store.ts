import { createHash, randomUUID } from 'node:crypto';
import {
  createRedisBackend,
  type IQueueBackend,
  type MinimalJob,
  Queue,
  type RedisQueueBackend,
} from 'bullmq';
import type { Redis } from 'ioredis';
import type { AsyncStop, AsyncStopStatus } from '../ingest-tasks/stop-backlog.js';
import type { TaskRef } from '../ingest-tasks/stop-coalescer.js';
import type { ListRequest } from './list-request.js';
import {
  type FinishedRecord,
  parseFinishedRecord,
  parsePendingRecord,
  type PendingRecord,
  toAsyncStop,
} from './stop-record.js';
import { createStopId, creationTimeOf, isStopId } from './stop-id.js';

/** After a crash, another replica takes the stop over when this time and up to two of these checks have passed. */
const STALLED_CHECK_INTERVAL_MS = 5000;

/** Replicas die while they execute stops. That must never make a stop fail. */
const MAX_STALLED_COUNT = Number.MAX_SAFE_INTEGER;

/** BullMQ writes an event for each change, which nothing reads. */
const MAX_EVENTS = 100;

/** Without a lock token, BullMQ does not check who holds the lock. */
const ANY_TOKEN = '0';

/** A sweep removes at most this many stops of a caller. */
const SWEEP_SIZE = 500;

/** How many finished stops a page of a list reads at most to find those with a status. */
const MAX_SCANNED = 1000;

/** A stop that is being stored is listed before it exists. One that is missing for this long was never stored. */
const MAX_STORING_MS = 60_000;

/** Lists a stop as pending, unless its caller has too many. */
const LIST_PENDING = `
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], 0, ARGV[2])
redis.call('SADD', KEYS[2], ARGV[3])
return 1`;

/** Removes a member from a set, unless one of the keys of its caller still exists. */
const FORGET_CALLER = `
for i = 2, #KEYS do if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end end
return redis.call('SREM', KEYS[1], ARGV[1])`;

/** `ErrorCode` of BullMQ: no lock, or that of another replica; no such job, or not in this state. */
const LOST_LOCK_CODES: readonly unknown[] = [-2, -6];
const GONE_CODES: readonly unknown[] = [-1, -3];

export interface StopStoreOptions {
  /** The prefix of all keys, with one hash tag: Redis Cluster keeps the keys on one node. */
  readonly prefix: string;
  /** How many stops of a caller may be pending. */
  readonly limitPerCaller: number;
  /** How long an execution may take. Then another replica may take the stop over. */
  readonly lockMs: number;
  /** How long and how many finished stops of a caller are kept. */
  readonly keepMs: number;
  readonly keepCount: number;
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

/** The result of {@link StopStore.take} when no stop can be executed now. */
interface NothingToTake {
  /** The wall clock at which the next delayed stop is due; 0 if there is none. */
  readonly nextDueAt: number;
}

/** The pending stops of a caller. */
export interface PendingStops {
  readonly caller: string;
  readonly count: number;
  /** The wall clock at which the oldest one was created. */
  readonly oldestCreatedAt: number;
}

export interface StopPage {
  readonly stops: readonly AsyncStop[];
  readonly nextCursor: string | undefined;
}

/**
 * Stops in Redis: one BullMQ queue for each caller, over one connection. BullMQ has the order, the locks, the delays and
 * the recovery from crashes. Next to each queue, an index lists the pending stops in the order of their creation.
 *
 * Every method rejects while Redis is unavailable. Import this module on demand, because it loads BullMQ.
 */
export class StopStore {
  readonly #replica = randomUUID();
  readonly #queues = new Map<string, Queue>();
  readonly #backends = new Map<string, IQueueBackend>();
  /** When a listed stop was first found missing, in milliseconds of the monotonic clock. */
  readonly #missingSince = new Map<string, number>();
  #taken = 0;

  private constructor(
    private readonly redis: Redis,
    private readonly options: StopStoreOptions,
    private readonly backend: RedisQueueBackend,
    private readonly newQueue: (name: string) => Queue,
  ) {}

  /** @param redis a connection that is established elsewhere */
  static create(redis: Redis, options: StopStoreOptions): StopStore {
    const { prefix, lockMs } = options;
    const settings = {
      connection: redis,
      prefix,
      // BullMQ would print about versions on the console.
      skipWaitingForReady: true,
      skipVersionCheck: true,
      streams: { events: { maxLen: MAX_EVENTS } },
      lockDuration: lockMs,
      stalledInterval: STALLED_CHECK_INTERVAL_MS,
      maxStalledCount: MAX_STALLED_COUNT,
    };
    const backend = createRedisBackend('stops', settings);
    const newQueue = (name: string): Queue => {
      const queue = new Queue(name, settings, () => backend.forQueue(name) as RedisQueueBackend);
      // Every operation rejects with its error.
      queue.on('error', () => {});
      return queue;
    };
    backend.on('error', () => {});
    return new StopStore(redis, options, backend, newQueue);
  }

  /**
   * Stores a stop, unless the same caller has a pending one for the task.
   *
   * @returns undefined if the limit of pending stops of the caller is reached
   */
  async add(caller: string, record: PendingRecord): Promise<AsyncStop | undefined> {
    const queue = this.#queue(caller);
    const duplicateId = hashOf(record);
    const existingId = await queue.getDeduplicationJobId(duplicateId);
    const existing = existingId ? await this.get(caller, existingId) : undefined;
    if (existing?.status === 'pending') return existing;
    const id = createStopId(Date.now());
    // Listed first: what is stored is never forgotten, and never more than the limit.
    const { limitPerCaller } = this.options;
    const keys = [this.#index(caller), this.#callers];
    const isListed = await this.redis.eval(LIST_PENDING, keys.length, ...keys, limitPerCaller, id, caller);
    if (isListed !== 1) return undefined;
    const job = await queue.add('stop', record, { jobId: id, deduplication: { id: duplicateId } });
    if (job.id === id) return toAsyncStop(id, record);
    this.redis.zrem(this.#index(caller), id).catch(() => {});
    const first = await this.get(caller, job.id!);
    if (!first) throw new Error('the pending stop of the task has just been removed');
    return first;
  }

  /** Returns a stop of a caller; undefined if the caller has no such stop. */
  async get(caller: string, id: string): Promise<AsyncStop | undefined> {
    if (!isStopId(id)) return undefined;
    const job = await this.#backend(caller).getJobData(id);
    const record = job && parsePendingRecord(job.data);
    if (!record) return undefined;
    if (job.finishedOn === undefined) return toAsyncStop(id, record);
    const finished = parseFinishedRecord(job.returnvalue);
    return finished && toAsyncStop(id, record, finished);
  }

  /**
   * Lists stops of a caller: first the pending ones in the order of their creation, then the finished ones, the last one
   * first. A page can have fewer stops than the limit although there are more.
   */
  async list(caller: string, request: ListRequest): Promise<StopPage> {
    const { status, limit, cursor } = request;
    const afterPending = cursor?.startsWith('f') ?? false;
    if (!afterPending && (status === undefined || status === 'pending')) {
      const after = cursor?.slice(1);
      const ids = await this.redis.zrangebylex(
        this.#index(caller),
        after === undefined ? '-' : `(${after}`,
        '+',
        'LIMIT',
        0,
        limit,
      );
      const stops = await this.#getAll(caller, ids, 'pending');
      if (ids.length === limit) return { stops, nextCursor: `p${ids.at(-1)}` };
      return { stops, nextCursor: status === undefined ? 'f' : undefined };
    }
    if (status === 'pending') return { stops: [], nextCursor: undefined };
    return this.#listFinished(caller, { ...request, cursor: afterPending ? cursor!.slice(1) : '' });
  }

  /**
   * Takes the next stop of a caller. It is locked, and Redis has stored that it may be sent, before this method returns.
   */
  async take(caller: string): Promise<TakenStop | NothingToTake> {
    this.#taken += 1;
    const token = `${this.#replica}:${this.#taken}`;
    const [job, id, , nextDueAt] = (await this.#backend(caller).moveToActive(token)) as [
      { data: string; attemptsStarted: number } | null | undefined,
      string,
      number,
      number,
    ];
    if (!job) return { nextDueAt };
    const record = parsePendingRecord(job.data);
    if (record) {
      const mayHaveStopped = job.attemptsStarted - 1 > record.ineffectiveStarts;
      return { id, caller, record, mayHaveStopped, token };
    }
    await this.#backend(caller).moveToCompleted(minimalJob(id), null, true, token, false);
    await this.redis.zrem(this.#index(caller), id);
    return { nextDueAt: 0 };
  }

  /** Returns a taken stop, to be executed again after a delay. Has no effect if another replica has taken it over. */
  async postpone({ id, caller, token }: TakenStop, record: PendingRecord, delayMs: number): Promise<void> {
    const fieldsToUpdate = { data: JSON.stringify(record) };
    const moved = this.#backend(caller).moveToDelayed(id, Date.now(), delayMs, token, {
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
    const backend = this.#backend(caller);
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
      .zrem(this.#index(caller), id)
      .sadd(this.#callersWithFinished, caller)
      .exec();
    await assertNoError(unlisted);
    return true;
  }

  /** Returns the pending stops of every caller that may have some. */
  async pending(): Promise<PendingStops[]> {
    const callers = await this.redis.smembers(this.#callers);
    return Promise.all(
      callers.map(async (caller) => {
        const [count, [oldest]] = await Promise.all([
          this.redis.zcard(this.#index(caller)),
          this.redis.zrange(this.#index(caller), '0', '0'),
        ]);
        const oldestCreatedAt =
          oldest !== undefined && isStopId(oldest) ? creationTimeOf(oldest) : Date.now();
        return { caller, count, oldestCreatedAt };
      }),
    );
  }

  /** Makes stops available again whose replica has died. */
  async recover(caller: string): Promise<void> {
    await this.#backend(caller).moveStalledJobsToWait();
    // A delay ends by the wall clock of a replica. One that was set by a wrong clock must not last.
    const { delayed } = this.#backend(caller).keys;
    const latest = (Date.now() + 2 * this.options.maxDelayMs) * 0x1000;
    for (const id of await this.redis.zrangebyscore(delayed!, latest, '+inf', 'LIMIT', 0, SWEEP_SIZE))
      await ignoreCodes(this.#backend(caller).promote(id), GONE_CODES);
  }

  /**
   * Removes finished stops that are too old or too many, and stops from the index that do not exist.
   *
   * @param now milliseconds of the backlog clock
   */
  async sweep(now: number, monotonicNow: number): Promise<void> {
    for (const caller of await this.redis.smembers(this.#callersWithFinished)) {
      await this.#removeFinished(caller, now);
      const { completed } = this.#backend(caller).keys;
      await this.redis.eval(FORGET_CALLER, 2, this.#callersWithFinished, completed!, caller);
    }
    for (const caller of await this.redis.smembers(this.#callers)) {
      await this.#unlistMissing(caller, monotonicNow);
      const { wait, active, delayed } = this.#backend(caller).keys;
      const keys = [this.#callers, this.#index(caller), wait!, active!, delayed!];
      const forgotten = await this.redis.eval(FORGET_CALLER, keys.length, ...keys, caller);
      if (forgotten !== 1) continue;
      this.#queues.delete(caller);
      this.#backends.delete(caller);
    }
  }

  close(): void {
    this.redis.disconnect();
  }

  async #removeFinished(caller: string, now: number): Promise<void> {
    const { completed } = this.#backend(caller).keys;
    const excess = (await this.redis.zcard(completed!)) - this.options.keepCount;
    const oldest = await this.redis.zrange(completed!, '0', String(SWEEP_SIZE - 1));
    for (const [index, id] of oldest.entries()) {
      if (index >= excess && !(await this.#isTooOld(caller, id, now))) return;
      await ignoreCodes(this.#backend(caller).remove(id, false), GONE_CODES);
    }
  }

  async #isTooOld(caller: string, id: string, now: number): Promise<boolean> {
    const job = await this.#backend(caller).getJobData(id);
    const finished = job && parseFinishedRecord(job.returnvalue);
    return !finished || now - finished.finishedAtMs > this.options.keepMs;
  }

  async #unlistMissing(caller: string, now: number): Promise<void> {
    for (const id of await this.redis.zrange(this.#index(caller), '0', '99')) {
      const stop = await this.get(caller, id);
      if (stop?.status === 'pending') this.#missingSince.delete(id);
      else if (stop) await this.redis.zrem(this.#index(caller), id);
      else if (!this.#missingSince.has(id)) this.#missingSince.set(id, now);
      else if (now - this.#missingSince.get(id)! > MAX_STORING_MS) {
        this.#missingSince.delete(id);
        await this.redis.zrem(this.#index(caller), id);
      }
    }
  }

  async #listFinished(caller: string, { status, limit, cursor = '' }: ListRequest): Promise<StopPage> {
    const { completed } = this.#backend(caller).keys;
    const [lastScore = '', lastId = ''] = cursor.split('_', 2);
    const found: AsyncStop[] = [];
    const entries = await this.redis.zrevrangebyscore(
      completed!,
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
      const stop = await this.get(caller, id);
      if (stop && stop.status !== 'pending' && (status === undefined || stop.status === status))
        found.push(stop);
      if (found.length === limit) return { stops: found, nextCursor: `f${position}` };
    }
    const isEnd = entries.length < 2 * MAX_SCANNED;
    return { stops: found, nextCursor: isEnd ? undefined : `f${position}` };
  }

  async #getAll(caller: string, ids: readonly string[], status: AsyncStopStatus): Promise<AsyncStop[]> {
    const stops = await Promise.all(ids.map((id) => this.get(caller, id)));
    return stops.filter((stop) => stop?.status === status) as AsyncStop[];
  }

  #backend(caller: string): IQueueBackend {
    let backend = this.#backends.get(caller);
    if (!backend) this.#backends.set(caller, (backend = this.backend.forQueue(queueName(caller))));
    return backend;
  }

  /** Creating a queue stores its settings, so that only callers that submit stops get one. */
  #queue(caller: string): Queue {
    let queue = this.#queues.get(caller);
    if (!queue) this.#queues.set(caller, (queue = this.newQueue(queueName(caller))));
    return queue;
  }

  /** The callers with pending stops. */
  get #callers(): string {
    return `${this.options.prefix}:callers`;
  }

  get #callersWithFinished(): string {
    return `${this.options.prefix}:callers-with-finished`;
  }

  /** The ids of the pending stops of a caller, in the order of their creation. */
  #index(caller: string): string {
    return this.#backend(caller).toKey('pending');
  }
}

/** The colon separates the parts of keys. */
function queueName(caller: string): string {
  return `of-${encodeURIComponent(caller)}`;
}

/** The same task of the same caller must not be stored twice. */
function hashOf({ sdkAppId, region, taskId }: TaskRef): string {
  return createHash('sha256').update(`${sdkAppId}/${region}/${taskId}`).digest('hex');
}

/** BullMQ needs no more of a job to finish it. */
function minimalJob(id: string): MinimalJob {
  return { id, opts: {} } as MinimalJob;
}

function hasCode(error: unknown, codes: readonly unknown[]): boolean {
  return codes.includes((error as { code?: unknown }).code);
}

async function ignoreCodes(moved: Promise<unknown>, codes: readonly unknown[]): Promise<void> {
  try {
    await moved;
  } catch (error) {
    if (!hasCode(error, codes)) throw error;
  }
}

/** A transaction resolves although one of its commands failed. */
async function assertNoError(transaction: Promise<[Error | null, unknown][] | null>): Promise<void> {
  const failed = (await transaction)?.find(([error]) => error);
  if (failed) throw failed[0]!;
}
