import { randomUUID } from 'node:crypto';
import { Module } from '@nestjs/common';
import { maxLeaseMs, Quota, RedisSlotStore } from '#libs/quota';
import type { QuotaConfig, RedisConfig, TencentCloudConfig } from '../config/configuration.js';
import { quotaConfig, redisConfig, tencentCloudConfig } from '../config/namespaces.js';
import { connectRedis, quotaKey } from '../redis/connect-redis.js';
import { CLOCK, type SystemClock, systemClock } from '../time/system-clock.js';
import { QuotaMetrics } from './quota-metrics.js';
import { RateLimitHook } from './rate-limit.hook.js';

/** The quota itself gives up much sooner; this only ends what is left. */
const COMMAND_TIMEOUT_MS = 2000;

/** The slots for upstream calls, in this process or in Redis. */
@Module({
  providers: [
    QuotaMetrics,
    RateLimitHook,
    { provide: CLOCK, useValue: systemClock },
    {
      provide: Quota,
      useFactory: createQuota,
      inject: [quotaConfig.KEY, redisConfig.KEY, tencentCloudConfig.KEY, QuotaMetrics, CLOCK],
    },
  ],
  exports: [Quota, RateLimitHook],
})
export class QuotaModule {}

/** The quota of StopStreamIngest: in this process, or with REDIS_URL one for all replicas. */
async function createQuota(
  { perSecond, queueLimit }: QuotaConfig,
  { url }: RedisConfig,
  { endpoint, attemptTimeoutMs }: TencentCloudConfig,
  metrics: QuotaMetrics,
  clock: SystemClock,
): Promise<Quota> {
  let store: RedisSlotStore | undefined;
  if (url !== undefined) {
    metrics.storeConnecting();
    const redis = await connectRedis(url, { name: 'slots', commandTimeoutMs: COMMAND_TIMEOUT_MS });
    const leaseMs = maxLeaseMs(attemptTimeoutMs);
    store = new RedisSlotStore(redis, {
      scope: quotaKey(endpoint),
      perSecond,
      replica: randomUUID(),
      leaseMs,
      clock,
    });
  }
  const quota = new Quota({ perSecond, queueLimit, clock, observer: metrics, ...(store && { store }) });
  metrics.observe(() => quota.state());
  return quota;
}
