import { createRedisBackend, type IQueueBackend, Queue, type RedisQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import type { AsyncStop } from '../ingest-tasks/stop-backlog.js';
import { isStopId } from './stop-id.js';
import { parseFinishedRecord, parsePendingRecord, toAsyncStop } from './stop-record.js';

/** After a crash, another replica takes the stop over when this time and up to two of these checks have passed. */
const STALLED_CHECK_INTERVAL_MS = 5000;

/** Replicas die while they execute stops. That must never make a stop fail. */
const MAX_STALLED_COUNT = Number.MAX_SAFE_INTEGER;

/** BullMQ writes an event for each change, which nothing reads. */
const MAX_EVENTS = 100;

/** `ErrorCode` of BullMQ: no lock, or that of another replica. */
export const LOST_LOCK_CODES: readonly unknown[] = [-2, -6];

/** `ErrorCode` of BullMQ: no such job, or not in this state. */
export const GONE_CODES: readonly unknown[] = [-1, -3];

/** The BullMQ queues: one for each caller, over one connection. */
export class StopQueues {
  readonly #queues = new Map<string, Queue>();
  readonly #backends = new Map<string, IQueueBackend>();

  private constructor(
    private readonly root: RedisQueueBackend,
    private readonly newQueue: (name: string) => Queue,
  ) {}

  /**
   * @param prefix of all keys
   * @param lockMs how long an execution may take. Then another replica may take the stop over
   */
  static create(redis: Redis, prefix: string, lockMs: number): StopQueues {
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
    const root = createRedisBackend('stops', settings);
    root.on('error', () => {});
    return new StopQueues(root, (name) => {
      const queue = new Queue(name, settings, () => root.forQueue(name) as RedisQueueBackend);
      // Every operation rejects with its error.
      queue.on('error', () => {});
      return queue;
    });
  }

  /** Returns what adds stops of a caller. Creating it stores its settings, so that only callers that submit stops get one. */
  queue(caller: string): Queue {
    let queue = this.#queues.get(caller);
    if (!queue) this.#queues.set(caller, (queue = this.newQueue(queueName(caller))));
    return queue;
  }

  /** Returns what moves and reads stops of a caller. */
  backend(caller: string): IQueueBackend {
    let backend = this.#backends.get(caller);
    if (!backend) this.#backends.set(caller, (backend = this.root.forQueue(queueName(caller))));
    return backend;
  }

  /** Frees the memory of a caller without stops. */
  forget(caller: string): void {
    this.#queues.delete(caller);
    this.#backends.delete(caller);
  }

  /** Returns a stop of a caller; undefined if the caller has no such stop, or if its data is not valid. */
  async read(caller: string, id: string): Promise<AsyncStop | undefined> {
    if (!isStopId(id)) return undefined;
    const job = await this.backend(caller).getJobData(id);
    const record = job && parsePendingRecord(job.data);
    if (!record) return undefined;
    if (job.finishedOn === undefined) return toAsyncStop(id, record);
    const finished = parseFinishedRecord(job.returnvalue);
    return finished && toAsyncStop(id, record, finished);
  }
}

/** The colon separates the parts of keys. */
function queueName(caller: string): string {
  return `of-${encodeURIComponent(caller)}`;
}

export function hasCode(error: unknown, codes: readonly unknown[]): boolean {
  return codes.includes((error as { code?: unknown }).code);
}

export async function ignoreCodes(moved: Promise<unknown>, codes: readonly unknown[]): Promise<void> {
  try {
    await moved;
  } catch (error) {
    if (!hasCode(error, codes)) throw error;
  }
}
