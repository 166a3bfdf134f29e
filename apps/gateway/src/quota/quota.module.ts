import { randomUUID } from 'node:crypto';
import { Module } from '@nestjs/common';
import { maxLeaseMs, Quota, RedisSlotStore, type StoreCommand } from '#libs/quota';
import type { QuotaConfig, RedisConfig, TencentCloudConfig } from '../config/configuration.js';
import { quotaConfig, redisConfig, tencentCloudConfig } from '../config/namespaces.js';
import { connectRedis, quotaKey } from '../redis/connect-redis.js';
import { CLOCK, type SystemClock, systemClock } from '../time/system-clock.js';
import { QuotaMetrics } from './quota-metrics.js';
import { RateLimitHook } from './rate-limit.hook.js';

/** The quota itself gives up much sooner; this only ends what is left. */
const COMMAND_TIMEOUT_MS = 2000;

/** The injection token of the slots in Redis; undefined without REDIS_URL. */
export const SLOT_STORE = Symbol('slot store');

/** The slots for upstream calls, in this process or in Redis. */
@Module({
  providers: [
    QuotaMetrics,
    RateLimitHook,
    { provide: CLOCK, useValue: systemClock },
    {
      provide: SLOT_STORE,
      useFactory: createSlotStore,
      inject: [quotaConfig.KEY, redisConfig.KEY, tencentCloudConfig.KEY, CLOCK, QuotaMetrics],
    },
    {
      provide: Quota,
      useFactory: createQuota,
      inject: [quotaConfig.KEY, SLOT_STORE, QuotaMetrics, CLOCK],
    },
  ],
  exports: [Quota, RateLimitHook, SLOT_STORE],
})
export class QuotaModule {}

async function createSlotStore(
  { perSecond }: QuotaConfig,
  { target }: RedisConfig,
  { endpoint, attemptTimeoutMs }: TencentCloudConfig,
  clock: SystemClock,
  metrics: QuotaMetrics,
): Promise<RedisSlotStore | undefined> {
  if (!target) return undefined;
  const scope = quotaKey(endpoint);
  const options = { name: 'slots', commandTimeoutMs: COMMAND_TIMEOUT_MS, hashTag: scope };
  const redis = await connectRedis(target, options);
  const leaseMs = maxLeaseMs(attemptTimeoutMs);
  const onCommand = (command: StoreCommand): void => metrics.storeCommand(command);
  return new RedisSlotStore(redis, { scope, perSecond, replica: randomUUID(), leaseMs, clock, onCommand });
}

/** The quota of StopStreamIngest: in this process, or with REDIS_URL one for all replicas. */
function createQuota(
  { perSecond, queueLimit }: QuotaConfig,
  store: RedisSlotStore | undefined,
  metrics: QuotaMetrics,
  clock: SystemClock,
): Quota {
  if (store) metrics.storeConnecting();
  const quota = new Quota({ perSecond, queueLimit, clock, observer: metrics, ...(store && { store }) });
  metrics.observe(() => quota.state());
  return quota;
}
