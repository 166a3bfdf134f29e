import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Quota, type Slot } from '#libs/quota';
import { type StopResult, stopStreamIngest, TencentCloudClient } from '#libs/tencent-cloud';
import type { QuotaConfig, TencentCloudConfig } from '../config/configuration.js';
import { quotaConfig, tencentCloudConfig } from '../config/namespaces.js';
import { type CallerIdentity, canUseSdkAppId } from '../http/caller-identity.js';
import { ClientDisconnectedError } from '../http/client-disconnected.error.js';
import type { RequestContext } from '../http/request-context.js';
import { Lifecycle } from '../lifecycle/lifecycle.js';
import { ProblemException } from '../problems/problem.exception.js';
import { systemClock } from '../time/system-clock.js';
import type { Preferences } from './prefer.js';
import type { AsyncStop, StopBacklog } from './stop-backlog.js';
import { type SharedCall, StopCoalescer, type StopRequester, type TaskRef } from './stop-coalescer.js';
import {
  type AcceptedStop,
  StopCancelledError,
  type StopDetails,
  StopFailedException,
  type SuccessfulStop,
} from './stop-outcome.js';
import type { StopRequest } from './stop-request.js';
import { toProblem } from './to-problem.js';

/** Stops tasks: a stop acquires a quota slot, is signed, and is sent to Tencent Cloud. */
@Injectable()
export class IngestTasksService implements OnApplicationShutdown {
  constructor(
    private readonly quota: Quota,
    private readonly client: TencentCloudClient,
    private readonly coalescer: StopCoalescer,
    private readonly lifecycle: Lifecycle,
    @Inject(quotaConfig.KEY) private readonly quotaOptions: QuotaConfig,
    @Inject(tencentCloudConfig.KEY) private readonly defaults: TencentCloudConfig,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    this.client.close();
    await this.quota.close();
  }

  /**
   * Stops a task. If the client disconnects before the call is sent, the stop is cancelled; after that, the call
   * continues. If the client prefers it and the stop can be stored, it is executed later.
   *
   * @param backlog stores it. Not injected, because it uses this service
   * @param preferences without a wait, the configured default applies to the wait for a slot
   * @throws StopFailedException for every problem
   * @throws StopCancelledError if the client disconnected before the call was sent
   */
  async stop(
    request: StopRequest,
    caller: CallerIdentity,
    { waitSeconds, respondAsync }: Preferences,
    context: RequestContext,
    backlog: StopBacklog,
  ): Promise<SuccessfulStop | AcceptedStop> {
    const { defaultSdkAppId, defaultRegion } = this.defaults;
    const { taskId, sdkAppId = defaultSdkAppId, region = defaultRegion } = request;
    const task = { taskId, sdkAppId, region };
    const isSdkAppIdFromCaller = request.sdkAppId !== undefined;
    const attempt = new StopAttempt(task);
    // In addition to its connection, because the upstream call continues after the client disconnects.
    this.lifecycle.requestStarted(context);
    try {
      if (!canUseSdkAppId(caller, sdkAppId)) throw new ProblemException('sdk-app-id-not-allowed');
      const { clientDisconnect } = context;
      clientDisconnect.throwIfAborted();
      const { rejecting } = this.lifecycle;
      rejecting.throwIfAborted();
      const signal = () => AbortSignal.any([clientDisconnect.signal, rejecting]);
      if (respondAsync && !this.coalescer.hasEnded(task)) {
        const waitMs = (waitSeconds ?? 0) * 1000;
        const { parentSpan } = context;
        const asyncRequest = { task, isSdkAppIdFromCaller, waitMs, signal, parentSpan };
        const stop = await backlog.submit(caller.name, asyncRequest);
        if (stop) return outcomeOfAsyncStop(stop);
      }
      const waitMs = waitSeconds === undefined ? this.quotaOptions.defaultWaitMs : waitSeconds * 1000;
      return await this.#stop(attempt, { caller: caller.name, waitMs, signal });
    } catch (error) {
      if (error instanceof ClientDisconnectedError) throw new StopCancelledError(attempt.details);
      if (error instanceof StopFailedException) throw error;
      throw new StopFailedException(toProblem(error, isSdkAppIdFromCaller), attempt.details);
    } finally {
      this.lifecycle.requestFinished(context);
    }
  }

  /**
   * Stops a task from the backlog with one attempt, for which the slot was acquired. Only if other requests share the
   * call, it has retries. The caller of this method releases the slot, which has no effect after an attempt.
   *
   * @throws StopFailedException for every problem
   */
  async stopFromBacklog(
    task: TaskRef,
    caller: string,
    slot: Slot,
    isSdkAppIdFromCaller: boolean,
  ): Promise<SuccessfulStop> {
    const { rejecting } = this.lifecycle;
    const attempt = new StopAttempt(task);
    try {
      return await this.#stop(attempt, { caller, waitMs: 0, slot, signal: () => rejecting, maxAttempts: 1 });
    } catch (error) {
      throw new StopFailedException(toProblem(error, isSdkAppIdFromCaller), attempt.details);
    }
  }

  async #stop(attempt: StopAttempt, requester: StopRequester): Promise<SuccessfulStop> {
    const { task } = attempt;
    const queuedAt = systemClock.now();
    const joined = this.coalescer.join(task, requester, (call) => this.#send(task, call));
    const { upstreamCall, waitsForSlot } = joined;
    const details = {
      task,
      upstreamCall,
      queuedAt: waitsForSlot ? queuedAt : undefined,
      get coalesced() {
        return joined.coalesced;
      },
    };
    attempt.details = details;
    const { status, requestId } = await joined.result;
    const upstream = { requestId, code: upstreamCall?.attempts.at(-1)?.code };
    return { result: status, outcome: 'stopped', upstream, details };
  }

  async #send({ taskId, sdkAppId, region }: TaskRef, call: SharedCall): Promise<StopResult> {
    const { upstreamCall } = call;
    const { rejecting } = this.lifecycle;
    const acquireRetrySlot = async (waitMs: number) => {
      const startedAt = systemClock.now();
      rejecting.throwIfAborted();
      try {
        return await this.quota.acquire({ caller: call.caller, waitMs, signal: () => rejecting });
      } finally {
        upstreamCall.recordWait(startedAt, systemClock.now());
      }
    };
    return stopStreamIngest(
      this.client,
      { taskId, sdkAppId },
      {
        region,
        acquirePermit: (waitMs) =>
          waitMs === undefined ? call.acquireFirstSlot() : acquireRetrySlot(waitMs),
        observer: upstreamCall,
        maxAttempts: () => call.maxAttempts,
      },
    );
  }
}

/** What is known about a stop when it ends in an error. */
class StopAttempt {
  details: StopDetails;

  constructor(readonly task: TaskRef) {
    this.details = { task };
  }
}

/**
 * The outcome of the request that stored a stop. If the stop has finished, it is the outcome of the stop.
 *
 * @throws StopFailedException
 */
function outcomeOfAsyncStop(stop: AsyncStop): SuccessfulStop | AcceptedStop {
  const { id, taskId, sdkAppId, region, status, requestId, failure } = stop;
  const details = { task: { taskId, sdkAppId, region }, stopId: id };
  if (failure) {
    const { code, upstream, isOutcomeUnknown } = failure;
    throw new StopFailedException(new ProblemException(code, { upstream, isOutcomeUnknown }), details);
  }
  if ((status === 'stopped' || status === 'already-finished') && requestId !== undefined)
    return { result: status, outcome: 'stopped', upstream: { requestId }, details };
  return { result: 'accepted', outcome: 'pending', details, stop };
}
