import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Quota } from '#libs/quota';
import { type Caller, mayUse } from '../callers/caller.js';
import { InjectConfiguration } from '../config/configuration.provider.js';
import type { Configuration } from '../config/configuration.js';
import { Problem } from '../problems/problem.js';
import { StopCoalescer, type TaskRef } from './stop-coalescer.js';
import { readFaultless } from './stop-request.js';
import type { StopTarget } from './stop-target.js';

const CODES = { quota: 'quota-exhausted', share: 'share-exhausted' } as const;

/** A refusal, and the task that was not stopped. */
export interface Refused {
  readonly problem: Problem;
  readonly task: TaskRef;
}

/**
 * Whether the quota refuses a call at once. Only where the call would come to the same refusal on the usual way,
 * {@link IngestTasksService.stop}, which takes all others.
 */
@Injectable()
export class RefusalAtOnce {
  constructor(
    private readonly quota: Quota,
    private readonly coalescer: StopCoalescer,
    @InjectConfiguration() private readonly configuration: Configuration,
  ) {}

  /** @returns undefined for the usual way; nothing has happened then */
  of(target: StopTarget, headers: IncomingHttpHeaders, caller: Caller): Refused | undefined {
    const { defaultSdkAppId, defaultRegion, quotaDefaultWaitMs } = this.configuration;
    const { params, query } = target;
    const stop = readFaultless({ params, query, headers });
    if (!stop || stop.waitSeconds !== undefined || quotaDefaultWaitMs > 0) return undefined;
    const { taskId, sdkAppId = defaultSdkAppId, region = defaultRegion } = stop;
    const task = { taskId, sdkAppId, region };
    if (!mayUse(caller, sdkAppId) || !this.coalescer.hasNoKnownState(task)) return undefined;
    const refused = this.quota.rejectIfExhausted(caller.name);
    if (!refused) return undefined;
    const { reason, retryAfterMs } = refused;
    return { problem: new Problem(CODES[reason], { retryAfterMs }), task };
  }
}
