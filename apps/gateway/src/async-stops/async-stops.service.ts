import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { PinoLogger } from 'nestjs-pino';
import { Quota } from '#libs/quota';
import type { AsyncStopsConfig } from '../config/configuration.js';
import { asyncStopsConfig } from '../config/namespaces.js';
import { formatTraceparent } from '../http/traceparent.js';
import { IngestTasksService } from '../ingest-tasks/ingest-tasks.service.js';
import { type AsyncStop, type AsyncStopRequest, StopBacklog } from '../ingest-tasks/stop-backlog.js';
import { Lifecycle } from '../lifecycle/lifecycle.js';
import { ProblemException } from '../problems/problem.exception.js';
import { systemClock } from '../time/system-clock.js';
import { AsyncStopsMetrics } from './async-stops-metrics.js';
import { BacklogClock } from './backlog-clock.js';
import { BacklogDispatcher } from './backlog-dispatcher.js';
import type { StopPage } from './finished-stops.js';
import type { ListRequest } from './list-request.js';
import { evicts, isDurable, parseDurability, type RedisDurability } from './redis-durability.js';
import { type BacklogAttempt, StopExecutor } from './stop-executor.js';
import type { StopStore } from './stop-store.js';

/** How often this replica looks for stops that other replicas accepted, and advances the clock. */
const REFRESH_INTERVAL_MS = 1000;

/** How often finished stops that are too old or too many are removed: every so many refreshes. */
const REFRESHES_PER_SWEEP = 10;

/** How often a response that waits for the result asks Redis, in case another replica executes the stop. */
const RESULT_POLL_MS = 250;

/** A place in the backlog can be free when the next stop of the caller finishes. */
const BACKLOG_FULL_RETRY_MS = 1000;

/** The estimated duration of a reconnect. */
const REDIS_RETRY_MS = 1000;

/** The parts that exist only with REDIS_URL. */
export interface BacklogStorage {
  readonly redis: Redis;
  readonly store: StopStore;
  readonly clock: BacklogClock;
}

/** The injection token of the storage; its value is undefined without REDIS_URL. */
export const BACKLOG_STORAGE = Symbol('backlog storage');

/** The backlog of asynchronous stops. Without REDIS_URL, it accepts nothing. */
@Injectable()
export class AsyncStopsService extends StopBacklog implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #running: { dispatcher: BacklogDispatcher; executor: StopExecutor } | undefined;
  #onAttempt: ((attempt: BacklogAttempt) => void) | undefined;
  /** The responses that wait for the result of a stop. */
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #closed = new AbortController();
  #durability: RedisDurability | undefined;

  constructor(
    @Inject(BACKLOG_STORAGE) private readonly storage: BacklogStorage | undefined,
    tasks: IngestTasksService,
    quota: Quota,
    private readonly lifecycle: Lifecycle,
    private readonly metrics: AsyncStopsMetrics,
    private readonly logger: PinoLogger,
    @Inject(asyncStopsConfig.KEY) config: AsyncStopsConfig,
  ) {
    super();
    if (!storage) return;
    const { store, clock } = storage;
    const executor = new StopExecutor(tasks, store, clock, config.ttlMs, metrics, logger, {
      finished: (id) => {
        for (const notify of this.#waiting.get(id) ?? []) notify();
      },
      attempted: (attempt) => this.#onAttempt?.(attempt),
    });
    const dispatcher = new BacklogDispatcher({
      quota,
      store,
      executor,
      clock: systemClock,
      wallClockMs: () => Date.now(),
      isDraining: () => this.lifecycle.isDraining,
      track: (execution) => void this.#track(execution),
    });
    this.#running = { dispatcher, executor };
  }

  onApplicationBootstrap(): void {
    if (!this.storage || !this.#running) return;
    const { redis } = this.storage;
    // The quota reports that Redis is unavailable.
    redis.on('error', () => {});
    redis.on('ready', () => void this.#reportDurability(redis));
    redis.connect().catch(() => {});
    void this.#refreshRegularly();
    void this.#running.dispatcher.run();
  }

  onApplicationShutdown(): void {
    this.#closed.abort();
    this.#running?.dispatcher.stop();
    this.#running?.executor.close();
    this.storage?.store.close();
  }

  override async submit(
    caller: string,
    { task, isSdkAppIdFromCaller, waitMs, signal, parentSpan }: AsyncStopRequest,
  ): Promise<AsyncStop | undefined> {
    if (!this.storage?.clock.isSynchronized) return undefined;
    const { store, clock } = this.storage;
    const { taskId, sdkAppId, region } = task;
    const record = {
      taskId,
      sdkAppId,
      region,
      isSdkAppIdFromCaller,
      createdAt: new Date().toISOString(),
      acceptedAtMs: clock.now(),
      attempts: 0,
      ineffectiveStarts: 0,
      traceparent: parentSpan && formatTraceparent(parentSpan),
    };
    let stop: AsyncStop | undefined;
    try {
      stop = await store.add(caller, record);
    } catch {
      return undefined;
    }
    if (!stop) throw new ProblemException('backlog-full', { retryAfterMs: BACKLOG_FULL_RETRY_MS });
    this.#running!.dispatcher.added(caller);
    return waitMs > 0 ? this.#waitForResult(caller, stop, waitMs, signal()) : stop;
  }

  /** Sets the listener to the attempts of this replica. */
  onAttempt(listener: (attempt: BacklogAttempt) => void): void {
    this.#onAttempt = listener;
  }

  /** Returns a stop of a caller. @throws ProblemException `stop-not-found` or `stops-unavailable` */
  async get(caller: string, id: string): Promise<AsyncStop> {
    const stop = await this.#read(({ store }) => store.get(caller, id));
    if (!stop) throw new ProblemException('stop-not-found');
    return stop;
  }

  /** Lists stops of a caller. @throws ProblemException `stops-unavailable` */
  async list(caller: string, request: ListRequest): Promise<StopPage> {
    const page = await this.#read(({ store }) => store.list(caller, request));
    return page ?? { stops: [], nextCursor: undefined };
  }

  async #read<T>(read: (storage: BacklogStorage) => Promise<T>): Promise<T | undefined> {
    if (!this.storage) return undefined;
    try {
      return await read(this.storage);
    } catch {
      throw new ProblemException('stops-unavailable', { retryAfterMs: REDIS_RETRY_MS });
    }
  }

  /** Returns the finished stop, or the pending one at the end of the wait. */
  async #waitForResult(
    caller: string,
    stop: AsyncStop,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<AsyncStop> {
    const { promise: notified, resolve } = Promise.withResolvers<boolean>();
    const notify = (): void => resolve(true);
    const others = this.#waiting.get(stop.id) ?? new Set();
    this.#waiting.set(stop.id, others.add(notify));
    let notifications = [notified];
    const deadline = performance.now() + waitMs;
    let latest = stop;
    try {
      while (latest.status === 'pending' && performance.now() < deadline && !signal.aborted) {
        const pollMs = Math.min(RESULT_POLL_MS, deadline - performance.now());
        const polled = sleep(pollMs, false, { signal }).catch(() => false);
        // Once only: if Redis then fails, the loop would never yield to the event loop.
        if (await Promise.race([...notifications, polled])) notifications = [];
        latest = (await this.storage!.store.get(caller, stop.id).catch(() => undefined)) ?? latest;
      }
    } finally {
      others.delete(notify);
      if (others.size === 0) this.#waiting.delete(stop.id);
    }
    return latest;
  }

  async #track(execution: Promise<unknown>): Promise<void> {
    this.lifecycle.requestStarted(execution);
    await execution.catch(() => {});
    this.lifecycle.requestFinished(execution);
  }

  async #refreshRegularly(): Promise<void> {
    for (let count = 1; !this.#closed.signal.aborted; count += 1) {
      await this.#refresh(count % REFRESHES_PER_SWEEP === 0).catch(() => {});
      await sleep(REFRESH_INTERVAL_MS, undefined, { signal: this.#closed.signal }).catch(() => {});
    }
  }

  async #refresh(sweeps: boolean): Promise<void> {
    const { store, clock } = this.storage!;
    await clock.synchronize();
    const pending = await store.pending();
    this.metrics.observeBacklog(pending, Date.now());
    const callers = pending.map(({ caller }) => caller);
    this.#running!.dispatcher.setCallers(callers);
    for (const caller of callers) await store.recover(caller);
    if (sweeps) await store.sweep(clock.now(), performance.now());
  }

  async #reportDurability(redis: Redis): Promise<void> {
    try {
      const sections = await Promise.all([redis.info('persistence'), redis.info('memory')]);
      const durability = parseDurability(sections.join('\n'));
      const durable = isDurable(durability);
      this.metrics.observeDurability(durable);
      // Redis can end every connection again and again, for example while it is a read-only replica.
      if (isDeepStrictEqual(durability, this.#durability)) return;
      this.#durability = durability;
      const { appendOnly, evictionPolicy } = durability;
      if (durable)
        this.logger.info(
          { event: 'async-stops-redis-durable', appendOnly, evictionPolicy },
          'Redis keeps asynchronous stops when it restarts',
        );
      else
        this.logger.warn(
          { event: 'async-stops-redis-not-durable', appendOnly, evictionPolicy },
          'Redis can lose asynchronous stops: it needs an append-only file and the policy noeviction',
        );
      if (evicts(durability))
        this.logger.warn(
          { event: 'quota-redis-evicts-keys', evictionPolicy },
          'Redis may evict keys when its memory is full, and a slot could be granted twice: set maxmemory-policy noeviction',
        );
    } catch {
      // The connection was lost again, or the ACL user may not run INFO.
    }
  }
}
