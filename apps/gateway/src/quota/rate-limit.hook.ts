import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Quota } from '#libs/quota';
import type { QuotaConfig } from '../config/configuration.js';
import { quotaConfig } from '../config/namespaces.js';
import { rateLimitHeaders } from './rate-limit-headers.js';

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
