import { randomUUID } from 'node:crypto';
import { maxLeaseMs, Quota, RedisSlotStore } from '#libs/quota';
import type { QuotaConfig, RedisConfig, TencentCloudConfig } from '../config/configuration.js';
import { connectRedis, quotaKey } from '../redis/connect-redis.js';
import type { SystemClock } from '../time/system-clock.js';
import type { QuotaMetrics } from './quota-metrics.js';

/** The quota itself gives up much sooner; this only ends what is left. */
const COMMAND_TIMEOUT_MS = 2000;

/** The quota of StopStreamIngest: in this process, or with REDIS_URL one for all replicas. */
export async function createQuota(
  { perSecond, queueLimit }: QuotaConfig,
  { url }: RedisConfig,
  { endpoint, attemptTimeoutMs }: TencentCloudConfig,
  observer: QuotaMetrics,
  clock: SystemClock,
): Promise<Quota> {
  const options = { perSecond, queueLimit, clock, observer };
  if (url === undefined) return new Quota(options);
  observer.storeConnecting();
  const redis = await connectRedis(url, { name: 'slots', commandTimeoutMs: COMMAND_TIMEOUT_MS });
  const store = new RedisSlotStore(redis, {
    scope: quotaKey(endpoint),
    perSecond,
    replica: randomUUID(),
    leaseMs: maxLeaseMs(attemptTimeoutMs),
  });
  return new Quota({ ...options, store });
}
