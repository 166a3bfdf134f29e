import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Quota } from '#libs/quota';
import { mayUse } from '../callers/caller.js';
import { InjectConfiguration } from '../config/configuration.provider.js';
import type { Configuration } from '../config/configuration.js';
import { Problem } from '../problems/problem.js';
import { OneCallPerTask } from './one-call-per-task.js';
import { readFaultless } from './stop-request.js';

const CODES = { quota: 'quota-exhausted', share: 'share-exhausted' } as const;

/**
 * Refuses calls over the quota before Nest sees them: a flood then costs less than a third. Only where the call would come to
 * the same refusal on the usual way, {@link IngestTasksService.stop}, which takes all others.
 */
@Injectable()
export class RefusalAtOnce {
  constructor(
    private readonly quota: Quota,
    private readonly oneCall: OneCallPerTask,
    @InjectConfiguration() private readonly configuration: Configuration,
  ) {}

  /** @returns the refusal, noted in the record of the call; undefined for the usual way */
  of(request: FastifyRequest): Problem | undefined {
    const { call } = request;
    const { defaultSdkAppId, defaultRegion, quotaDefaultWaitMs } = this.configuration;
    const stop = readFaultless(request);
    if (!stop || !call.caller || stop.waitSeconds !== undefined || quotaDefaultWaitMs > 0) return undefined;
    const { taskId, sdkAppId = defaultSdkAppId, region = defaultRegion } = stop;
    const task = { taskId, sdkAppId, region };
    if (!mayUse(call.caller, sdkAppId) || !this.oneCall.unheardOf(task)) return undefined;
    const refused = this.quota.refuseNow(call.caller.name);
    if (!refused) return undefined;
    call.task = task;
    return new Problem(CODES[refused.why], { retryAfterMs: refused.retryAfterMs });
  }
}
