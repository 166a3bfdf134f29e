import { setTimeout as sleep } from 'node:timers/promises';
import type { PinoLogger } from 'nestjs-pino';
import type { Slot } from '#libs/quota';
import type { IngestTasksService } from '../ingest-tasks/ingest-tasks.service.js';
import type { AsyncStopFailure } from '../ingest-tasks/stop-backlog.js';
import {
  outcomeOfProblem,
  type StopFailedException,
  type StopOutcome,
  type SuccessfulStop,
} from '../ingest-tasks/stop-outcome.js';
import { describeError } from '../logging/describe-error.js';
import type { ProblemCode } from '../problems/problem-table.js';
import type { AsyncStopsMetrics } from './async-stops-metrics.js';
import type { BacklogClock } from './backlog-clock.js';
import { backoffMs } from './backoff.js';
import { FINAL_CODES } from './final-codes.js';
import type { FinishedRecord } from './stop-record.js';
import type { StopStore, TakenStop } from './stop-store.js';

/** How often a result is offered to Redis while Redis is unavailable. */
const STORE_INTERVAL_MS = 500;

/** Problems of the gateway or the cloud that every stop has at this moment. */
const PAUSING_CODES: ReadonlySet<ProblemCode> = new Set(['upstream-unavailable', 'upstream-refused-gateway']);

/** The pause when the problem does not say how long it lasts. */
const DEFAULT_PAUSE_MS = 5000;

/** How an execution ended, for the dispatcher. */
export interface ExecutionResult {
  /** Every other stop would fail now as well: how long to wait, in milliseconds. */
  readonly pauseMs?: number;
}

/** An attempt that has ended. */
export interface BacklogAttempt {
  readonly stopId: string;
  readonly caller: string;
  /** Milliseconds of the monotonic clock. */
  readonly startedAt: number;
  readonly outcome: StopOutcome;
  /** The span of the client that submitted the stop. */
  readonly traceparent: string | undefined;
}

/** Executes stops of the backlog, and stores what became of them. */
export class StopExecutor {
  #isClosed = false;

  constructor(
    private readonly tasks: Pick<IngestTasksService, 'stopFromBacklog'>,
    private readonly store: Pick<StopStore, 'finish' | 'postpone'>,
    private readonly clock: Pick<BacklogClock, 'now'>,
    private readonly ttlMs: number,
    private readonly metrics: Pick<AsyncStopsMetrics, 'finished'>,
    private readonly logger: Pick<PinoLogger, 'info'>,
    private readonly observer: {
      /** A stop has finished. */
      finished(id: string): void;
      attempted(attempt: BacklogAttempt): void;
    },
  ) {}

  /** Ends the attempts to store results. Another replica takes these stops over. */
  close(): void {
    this.#isClosed = true;
  }

  isExpired({ record }: TakenStop): boolean {
    return this.clock.now() - record.acceptedAtMs > this.ttlMs;
  }

  /** Gives up a stop that was not stopped in time. */
  async expire(stop: TakenStop): Promise<void> {
    await this.#finish(stop, { status: 'expired', attempts: stop.record.attempts });
  }

  /** Makes one attempt with a slot, and releases the slot before the result is stored. Never rejects. */
  async execute(stop: TakenStop, slot: Slot): Promise<ExecutionResult> {
    const { caller, record, mayHaveStopped } = stop;
    const { taskId, sdkAppId, region, isSdkAppIdFromCaller, traceparent } = record;
    const startedAt = performance.now();
    const report = (outcome: StopOutcome): void =>
      this.observer.attempted({ stopId: stop.id, caller, startedAt, outcome, traceparent });
    try {
      const task = { taskId, sdkAppId, region };
      const stopped = await this.tasks
        .stopFromBacklog(task, caller, slot, isSdkAppIdFromCaller)
        // Has no effect after a call to the cloud.
        .finally(() => slot.release('unused'));
      report(stopped);
      // An earlier attempt, whose result was lost, may have ended the task.
      const status = mayHaveStopped ? 'stopped' : stopped.result;
      const { requestId } = stopped.upstream;
      await this.#finish(stop, { status, requestId, attempts: record.attempts + attemptsOf(stopped) });
      return {};
    } catch (error) {
      const problem = error as StopFailedException;
      report(outcomeOfProblem(problem));
      return this.#fail(stop, problem);
    }
  }

  async #fail(stop: TakenStop, problem: StopFailedException): Promise<ExecutionResult> {
    const { record, mayHaveStopped } = stop;
    const attempts = record.attempts + attemptsOf({ details: problem.stop });
    const { code, outcome } = problem;
    const { upstream, retryAfterMs, cause } = problem.details;
    if (FINAL_CODES.has(code)) {
      // The other two are about the parameters, so that no earlier attempt can have had an effect either.
      const isOutcomeUnknown = code === 'upstream-rejected' && mayHaveStopped;
      const failure: AsyncStopFailure = { code, upstream, isOutcomeUnknown };
      await this.#finish(stop, { status: 'failed', failure, attempts });
      return {};
    }
    const ineffectiveStarts = record.ineffectiveStarts + (outcome === 'unknown' ? 0 : 1);
    const wasSent = attempts > record.attempts;
    // A stop that was not sent is not at fault: it is executed again as soon as possible.
    const delayMs = wasSent ? backoffMs(attempts, Math.random()) : 0;
    await this.#untilStored(() =>
      this.store.postpone(stop, { ...record, attempts, ineffectiveStarts }, delayMs),
    );
    this.logger.info(
      {
        event: 'async-stop-postponed',
        stopId: stop.id,
        caller: stop.caller,
        code,
        attempts,
        delayMs,
        ...(cause !== undefined && describeError(cause)),
      },
      `asynchronous stop: ${code}, will be retried`,
    );
    return PAUSING_CODES.has(code) ? { pauseMs: retryAfterMs ?? DEFAULT_PAUSE_MS } : {};
  }

  async #finish(
    stop: TakenStop,
    result: Pick<FinishedRecord, 'status' | 'requestId' | 'failure' | 'attempts'>,
  ): Promise<void> {
    const { id, caller, record } = stop;
    const finishedAtMs = this.clock.now();
    const finished = { ...result, finishedAt: new Date().toISOString(), finishedAtMs };
    const isStored = await this.#untilStored(() => this.store.finish(stop, finished));
    // Otherwise the replica that stores the result reports it.
    if (!isStored) return;
    const durationMs = finishedAtMs - record.acceptedAtMs;
    const { status, requestId, failure, attempts } = result;
    this.metrics.finished(caller, status, durationMs);
    const { taskId, sdkAppId, region } = record;
    this.logger.info(
      {
        event: 'async-stop-finished',
        stopId: id,
        caller,
        taskId,
        sdkAppId,
        region,
        result: status,
        code: failure?.code,
        attempts,
        durationMs,
        upstreamCode: failure?.upstream?.code,
        upstreamRequestId: requestId ?? failure?.upstream?.requestId,
      },
      `asynchronous stop: ${status}`,
    );
    this.observer.finished(id);
  }

  /** Holds a result until Redis has stored it. Returns undefined if this process ends before. */
  async #untilStored<T>(store: () => Promise<T>): Promise<T | undefined> {
    while (!this.#isClosed) {
      try {
        return await store();
      } catch {
        await sleep(STORE_INTERVAL_MS);
      }
    }
    return undefined;
  }
}

function attemptsOf({ details }: Pick<SuccessfulStop, 'details'>): number {
  // A stop that shared a call of another request made no call of its own.
  return details.coalesced === undefined ? (details.upstreamCall?.attempts.length ?? 0) : 0;
}
