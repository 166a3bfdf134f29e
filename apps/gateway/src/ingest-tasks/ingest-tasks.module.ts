import { Module } from '@nestjs/common';
import { Quota, RedisSlotStore } from '#libs/quota';
import type { QuotaConfig, RedisConfig, TencentCloudConfig } from '../config/configuration.js';
import { quotaConfig, redisConfig, tencentCloudConfig } from '../config/namespaces.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { QuotaModule, SLOT_STORE } from '../quota/quota.module.js';
import { TencentCloudModule } from '../tencent-cloud/tencent-cloud.module.js';
import { connectRedis, quotaKey } from '../redis/connect-redis.js';
import { systemClock } from '../time/system-clock.js';
import { CoalescingMetrics } from './coalescing-metrics.js';
import { EndedTaskCache } from './ended-task-cache.js';
import { EndedTaskFeedMetrics } from './ended-task-feed-metrics.js';
import { IngestTasksController } from './ingest-tasks.controller.js';
import { IngestTasksService } from './ingest-tasks.service.js';
import { LoadSheddingHook } from './load-shedding.hook.js';
import { RedisEndedTaskFeed } from './redis-ended-task-feed.js';
import { StopCoalescer } from './stop-coalescer.js';

const WRITER = { name: 'ended-tasks-writer', commandTimeoutMs: 2000 };

/** The timeout is longer than a blocking read. */
const READER = { name: 'ended-tasks-reader', commandTimeoutMs: 10_000 };

/** `DELETE /ingest-tasks/{id}`. */
@Module({
  imports: [LifecycleModule, QuotaModule, TencentCloudModule],
  controllers: [IngestTasksController],
  providers: [
    CoalescingMetrics,
    EndedTaskFeedMetrics,
    IngestTasksService,
    LoadSheddingHook,
    {
      provide: EndedTaskCache,
      useFactory: createEndedTaskCache,
      inject: [redisConfig.KEY, tencentCloudConfig.KEY, SLOT_STORE, EndedTaskFeedMetrics],
    },
    {
      provide: StopCoalescer,
      useFactory: (quota: Quota, cache: EndedTaskCache, metrics: CoalescingMetrics, options: QuotaConfig) =>
        new StopCoalescer(quota, cache, metrics, systemClock, options.queueLimit),
      inject: [Quota, EndedTaskCache, CoalescingMetrics, quotaConfig.KEY],
    },
  ],
  exports: [IngestTasksService, LoadSheddingHook],
})
export class IngestTasksModule {}

/** Creates the cache of ended tasks: local to this process, or with REDIS_URL shared by all replicas. */
async function createEndedTaskCache(
  { target }: RedisConfig,
  { endpoint }: TencentCloudConfig,
  slotStore: RedisSlotStore | undefined,
  metrics: EndedTaskFeedMetrics,
): Promise<EndedTaskCache> {
  if (!target) return new EndedTaskCache();
  const hashTag = quotaKey(endpoint);
  const [writer, reader] = await Promise.all(
    [WRITER, READER].map((options) => connectRedis(target, { ...options, hashTag })),
  );
  return new EndedTaskCache(
    new RedisEndedTaskFeed(writer!, reader!, hashTag, () => slotStore?.now(), metrics),
  );
}
