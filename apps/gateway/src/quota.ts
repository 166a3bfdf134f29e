import { randomUUID } from 'node:crypto';
import { longestLeaseMs, openRedisStore, Quota, SharedSlots } from '#libs/quota';
import type { Configuration } from './config/configuration.js';
import type { QuotaUse } from './metrics/quota-use.js';
import { systemClock as clock } from './system-clock.js';

const ACTION = 'StopStreamIngest';

/** The quota of StopStreamIngest: of this process alone, or with REDIS_URL one for all replicas. */
export async function createQuota(configuration: Configuration, observer: QuotaUse): Promise<Quota> {
  const { quotaPerSecond: perSecond, quotaQueueLimit: queueLimit, redisUrl, endpoint } = configuration;
  const options = { perSecond, queueLimit, clock, observer };
  if (redisUrl === undefined) return new Quota(options);
  observer.expectStore();
  const replica = randomUUID();
  const store = await openRedisStore({
    url: redisUrl,
    scope: `${endpoint.host}/${ACTION}`,
    perSecond,
    replica,
    leaseMs: longestLeaseMs(configuration.attemptTimeoutMs),
  });
  return new Quota({
    ...options,
    source: (listener) => new SharedSlots({ perSecond, replica, store, clock, listener, observer }),
  });
}
