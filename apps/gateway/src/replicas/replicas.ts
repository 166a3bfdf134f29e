import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { longestLeaseMs, Quota, RedisSlotStore, StoredSlots } from '#libs/quota';
import type { Configuration } from '../config/configuration.js';
import { KnownOutcomes } from '../ingest-tasks/known-outcomes.js';
import type { QuotaUse } from '../metrics/quota-use.js';
import { systemClock as clock } from '../system-clock.js';
import type { RedisPurpose } from './open-redis.js';
import { RedisOutcomes } from './redis-outcomes.js';

/** The store of the slots is given up much sooner; this only ends what is left. */
const SLOTS = { name: 'slots', commandTimeoutMs: 2000 };
const OUTCOMES = { name: 'outcomes', commandTimeoutMs: 2000 };
const OUTCOMES_OF_OTHERS = { name: 'outcomes-of-others', commandTimeoutMs: 10_000 };

/** What is counted together, and may be known together. */
const scopeOf = (endpoint: URL): string => `${endpoint.host}/StopStreamIngest`;

/** Only who shares its slots loads what speaks to Redis. */
async function connection(url: string, purpose: RedisPurpose): Promise<Redis> {
  const { openRedis } = await import('./open-redis.js');
  return openRedis(url, purpose);
}

/** The quota of StopStreamIngest: of this process alone, or with REDIS_URL one for all replicas. */
export async function createQuota(configuration: Configuration, observer: QuotaUse): Promise<Quota> {
  const { quotaPerSecond: perSecond, quotaQueueLimit: queueLimit, redisUrl, endpoint } = configuration;
  const options = { perSecond, queueLimit, clock, observer };
  if (redisUrl === undefined) return new Quota(options);
  observer.expectStore();
  const replica = randomUUID();
  const store = new RedisSlotStore(await connection(redisUrl, SLOTS), {
    scope: scopeOf(endpoint),
    perSecond,
    replica,
    leaseMs: longestLeaseMs(configuration.attemptTimeoutMs),
  });
  return new Quota({
    ...options,
    source: (listener) => new StoredSlots({ perSecond, replica, store, clock, listener, observer }),
  });
}

/** What is known of tasks that have ended: in this process, and with REDIS_URL in all replicas. */
export async function openOutcomes({ redisUrl, endpoint }: Configuration): Promise<KnownOutcomes> {
  if (redisUrl === undefined) return new KnownOutcomes();
  const [writer, reader] = await Promise.all([
    connection(redisUrl, OUTCOMES),
    connection(redisUrl, OUTCOMES_OF_OTHERS),
  ]);
  return new KnownOutcomes(new RedisOutcomes(writer, reader, scopeOf(endpoint)));
}
