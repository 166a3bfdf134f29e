import { Module } from '@nestjs/common';
import { Quota } from '#libs/quota';
import type { QuotaConfig, RedisConfig, TencentCloudConfig } from '../config/configuration.js';
import { quotaConfig, redisConfig, tencentCloudConfig } from '../config/namespaces.js';
import { CLOCK, type SystemClock, systemClock } from '../time/system-clock.js';
import { createQuota } from './create-quota.js';
import { QuotaMetrics } from './quota-metrics.js';
import { RateLimitHook } from './rate-limit.hook.js';

/** The slots for upstream calls, in this process or in Redis. */
@Module({
  providers: [
    QuotaMetrics,
    RateLimitHook,
    { provide: CLOCK, useValue: systemClock },
    {
      provide: Quota,
      useFactory: async (
        quota: QuotaConfig,
        redis: RedisConfig,
        cloud: TencentCloudConfig,
        metrics: QuotaMetrics,
        clock: SystemClock,
      ) => {
        const created = await createQuota(quota, redis, cloud, metrics, clock);
        metrics.observe(() => created.state());
        return created;
      },
      inject: [quotaConfig.KEY, redisConfig.KEY, tencentCloudConfig.KEY, QuotaMetrics, CLOCK],
    },
  ],
  exports: [Quota, RateLimitHook],
})
export class QuotaModule {}
