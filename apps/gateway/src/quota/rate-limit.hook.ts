import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Quota, type QuotaState } from '#libs/quota';
import type { QuotaConfig } from '../config/configuration.js';
import { quotaConfig } from '../config/namespaces.js';

/** Adds the RateLimit headers to the responses of stops that passed authentication. */
@Injectable()
export class RateLimitHook {
  constructor(
    private readonly quota: Quota,
    @Inject(quotaConfig.KEY) private readonly config: QuotaConfig,
  ) {}

  addHeaders({ caller }: FastifyRequest, reply: FastifyReply): void {
    if (caller) void reply.headers(rateLimitHeaders(this.config.perSecond, this.quota.state()));
  }
}

/**
 * The headers that tell a caller the state of the quota.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
export function rateLimitHeaders(
  perSecond: number,
  { free, nextFreeInMs }: Pick<QuotaState, 'free' | 'nextFreeInMs'>,
): Record<string, string> {
  return {
    'ratelimit-policy': `"stop";q=${perSecond};w=1`,
    ratelimit: `"stop";r=${free};t=${Math.ceil(nextFreeInMs / 1000)}`,
  };
}
