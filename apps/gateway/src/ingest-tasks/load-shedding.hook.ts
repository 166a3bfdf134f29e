import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Quota } from '#libs/quota';
import type { QuotaConfig, RedisConfig, TencentCloudConfig } from '../config/configuration.js';
import { quotaConfig, redisConfig, tencentCloudConfig } from '../config/namespaces.js';
import { ProblemException } from '../problems/problem.exception.js';
import { parsePrefer } from './prefer.js';
import { StopCoalescer, type TaskRef } from './stop-coalescer.js';
import { StopFailedException } from './stop-outcome.js';
import { hasValidParameters } from './stop-request.js';

const CODES = { quota: 'quota-exhausted', share: 'share-exhausted' } as const;

/** Rejects stops that may not wait before their validation while the quota is known to be exhausted. */
@Injectable()
export class LoadSheddingHook {
  constructor(
    private readonly quota: Quota,
    private readonly coalescer: StopCoalescer,
    @Inject(quotaConfig.KEY) private readonly quotaOptions: QuotaConfig,
    @Inject(tencentCloudConfig.KEY) private readonly defaults: TencentCloudConfig,
    @Inject(redisConfig.KEY) private readonly redis: RedisConfig,
  ) {}

  /** @returns undefined if the stop may wait, needs no slot of its own, or can get one */
  rejection(request: FastifyRequest, reply: FastifyReply): ProblemException | undefined {
    const { headers, caller } = request;
    const { waitSeconds, respondAsync } = parsePrefer(headers['prefer'] as string | undefined);
    const mayWait = waitSeconds === undefined ? this.quotaOptions.defaultWaitMs > 0 : waitSeconds > 0;
    // A stop that is stored needs no slot now. Without REDIS_URL, none is stored.
    if (mayWait || (respondAsync && this.redis.target)) return undefined;
    const task = this.#taskOf(request);
    if (!task || !this.coalescer.hasNoKnownState(task)) return undefined;
    const rejected = this.quota.rejectIfExhausted(caller!.name);
    if (!rejected) return undefined;
    if (waitSeconds !== undefined) void reply.header('preference-applied', `wait=${waitSeconds}`);
    const { reason, retryAfterMs } = rejected;
    const problem = new ProblemException(CODES[reason], { retryAfterMs });
    // The task is logged: only valid parameters may reach the log.
    return hasValidParameters(request) ? new StopFailedException(problem, { task }) : problem;
  }

  /** The task by the parameters as the router parsed them, not validated; undefined if one occurs twice. */
  #taskOf({ params, query }: FastifyRequest): TaskRef | undefined {
    const { defaultSdkAppId, defaultRegion } = this.defaults;
    const { id } = params as { id: string };
    const { sdkAppId = defaultSdkAppId, region = defaultRegion } = query as Record<string, unknown>;
    if (typeof region !== 'string' || Array.isArray(sdkAppId)) return undefined;
    return { taskId: id, sdkAppId: Number(sdkAppId), region };
  }
}
