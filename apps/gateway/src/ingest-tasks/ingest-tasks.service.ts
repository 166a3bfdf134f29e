import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Quota, type Slot } from '#libs/quota';
import { type StopResult, stopStreamIngest, TencentCloudClient } from '#libs/tencent-cloud';
import type { CallRecord } from '../call-record.js';
import { mayUse } from '../callers/caller.js';
import { InjectConfiguration } from '../config/configuration.provider.js';
import type { Configuration } from '../config/configuration.js';
import { Lifecycle } from '../operations/lifecycle.js';
import { CallerLeft } from '../problems/caller-left.js';
import { Problem } from '../problems/problem.js';
import { stopProblem } from '../problems/stop-problem.js';
import { systemClock } from '../system-clock.js';
import { type SendStop, type SharedCall, StopCoalescer } from './stop-coalescer.js';
import type { StopRequest } from './stop-request.js';

/** The answer to a successful DELETE. */
export interface StoppedTask {
  readonly taskId: string;
  readonly sdkAppId: number;
  readonly region: string;
  readonly status: StopResult['status'];
  readonly requestId: string;
}

/** Stops tasks: the quota lends a slot, the cloud client carries the call. */
@Injectable()
export class IngestTasksService implements OnApplicationShutdown {
  constructor(
    private readonly quota: Quota,
    private readonly cloud: TencentCloudClient,
    private readonly coalescer: StopCoalescer,
    private readonly lifecycle: Lifecycle,
    @InjectConfiguration() private readonly configuration: Configuration,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    this.cloud.close();
    await this.quota.close();
  }

  /**
   * A call whose caller leaves ends if it was not sent yet; one that was runs to its end.
   *
   * @param call is told what becomes of the call
   * @throws Problem of the table; `shutting-down` for a call that still waits when this process leaves
   * @throws CallerLeft when nothing was sent because of that
   */
  async stop(request: StopRequest, call: CallRecord): Promise<StoppedTask> {
    const { defaultSdkAppId, defaultRegion, quotaDefaultWaitMs } = this.configuration;
    const { taskId, sdkAppId = defaultSdkAppId, region = defaultRegion } = request;
    call.task = { taskId, sdkAppId, region };
    if (!call.caller || !mayUse(call.caller, sdkAppId)) throw new Problem('sdk-app-id-not-allowed');
    const caller = call.caller.name;
    const { departure } = call;
    // Held in addition to its connection, because it continues when its caller disconnects.
    this.lifecycle.requestStarted(call);
    try {
      const { refusing } = this.lifecycle;
      const waitMs = request.waitSeconds === undefined ? quotaDefaultWaitMs : request.waitSeconds * 1000;
      departure.throwIfAborted();
      refusing.throwIfAborted();
      const send: SendStop = (shared) =>
        stopStreamIngest(
          this.cloud,
          { taskId, sdkAppId },
          {
            region,
            admit: (withinMs) =>
              withinMs === undefined ? shared.acquireFirstSlot() : this.#acquireForRetry(shared, withinMs),
            observer: shared.upstreamCall,
          },
        );
      const askedAt = systemClock.now();
      const signal = (): AbortSignal => AbortSignal.any([departure.signal, refusing]);
      const joined = this.coalescer.join(call.task, { caller, waitMs, signal }, send);
      if (joined.waitsForSlot) call.askedAt = askedAt;
      if (joined.coalesced) call.coalesced = joined.coalesced;
      if (joined.upstreamCall) call.course = joined.upstreamCall;
      const { status, requestId } = await joined.result;
      call.result = status;
      call.outcome = 'stopped';
      const code = call.course?.attempts.at(-1)?.code;
      call.upstream = { requestId, ...(code !== undefined && { code }) };
      return { taskId, sdkAppId, region, status, requestId };
    } catch (error) {
      if (error instanceof CallerLeft) throw error;
      throw stopProblem(error, request.sdkAppId !== undefined);
    } finally {
      this.lifecycle.requestFinished(call);
    }
  }

  /** A retry is made whatever happens to the connection of the caller that acquired the first slot. */
  async #acquireForRetry({ caller, upstreamCall }: SharedCall, waitMs: number): Promise<Slot> {
    const { refusing } = this.lifecycle;
    const askedAt = systemClock.now();
    refusing.throwIfAborted();
    try {
      return await this.quota.acquire({ caller, waitMs, signal: () => refusing });
    } finally {
      upstreamCall.waited(askedAt, systemClock.now());
    }
  }
}
