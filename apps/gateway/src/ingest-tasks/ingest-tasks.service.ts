import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Quota } from '#libs/quota';
import { type StopResult, stopStreamIngest, TencentCloudClient } from '#libs/tencent-cloud';
import type { QuotaConfig, TencentCloudConfig } from '../config/configuration.js';
import { quotaConfig, tencentCloudConfig } from '../config/namespaces.js';
import { type CallerIdentity, canUseSdkAppId } from '../http/caller-identity.js';
import { ClientDisconnectedError } from '../http/client-disconnected.error.js';
import type { RequestContext } from '../http/request-context.js';
import { Lifecycle } from '../lifecycle/lifecycle.js';
import { ProblemException } from '../problems/problem.exception.js';
import { systemClock } from '../time/system-clock.js';
import { type SharedCall, StopCoalescer, type TaskRef } from './stop-coalescer.js';
import {
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
   * continues.
   *
   * @param waitSeconds the maximum wait for a slot; undefined: the configured default
   * @throws StopFailedException for every problem
   * @throws StopCancelledError if the client disconnected before the call was sent
   */
  async stop(
    request: StopRequest,
    caller: CallerIdentity,
    waitSeconds: number | undefined,
    context: RequestContext,
  ): Promise<SuccessfulStop> {
    const { defaultSdkAppId, defaultRegion } = this.defaults;
    const { taskId, sdkAppId = defaultSdkAppId, region = defaultRegion } = request;
    const task = { taskId, sdkAppId, region };
    let details: StopDetails = { task };
    // In addition to its connection, because the upstream call continues after the client disconnects.
    this.lifecycle.requestStarted(context);
    try {
      if (!canUseSdkAppId(caller, sdkAppId)) throw new ProblemException('sdk-app-id-not-allowed');
      const { clientDisconnect } = context;
      clientDisconnect.throwIfAborted();
      const { rejecting } = this.lifecycle;
      rejecting.throwIfAborted();
      const requester = {
        caller: caller.name,
        waitMs: waitSeconds === undefined ? this.quotaOptions.defaultWaitMs : waitSeconds * 1000,
        signal: () => AbortSignal.any([clientDisconnect.signal, rejecting]),
      };
      const queuedAt = systemClock.now();
      const joined = this.coalescer.join(task, requester, (call) => this.#send(task, call));
      const { upstreamCall, waitsForSlot } = joined;
      details = {
        task,
        upstreamCall,
        queuedAt: waitsForSlot ? queuedAt : undefined,
        get coalesced() {
          return joined.coalesced;
        },
      };
      const { status, requestId } = await joined.result;
      const upstream = { requestId, code: upstreamCall?.attempts.at(-1)?.code };
      return { result: status, outcome: 'stopped', upstream, details };
    } catch (error) {
      if (error instanceof ClientDisconnectedError) throw new StopCancelledError(details);
      throw new StopFailedException(toProblem(error, request.sdkAppId !== undefined), details);
    } finally {
      this.lifecycle.requestFinished(context);
    }
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
      },
    );
  }
}
