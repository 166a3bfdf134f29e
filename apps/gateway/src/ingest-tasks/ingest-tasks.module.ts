import { Module } from '@nestjs/common';
import { Quota } from '#libs/quota';
import { redisConfig, tencentCloudConfig } from '../config/namespaces.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { QuotaModule } from '../quota/quota.module.js';
import { TencentCloudModule } from '../tencent-cloud/tencent-cloud.module.js';
import { systemClock } from '../time/system-clock.js';
import { CoalescingMetrics } from './coalescing-metrics.js';
import { createEndedTaskCache } from './create-ended-task-cache.js';
import { EndedTaskCache } from './ended-task-cache.js';
import { IngestTasksController } from './ingest-tasks.controller.js';
import { IngestTasksService } from './ingest-tasks.service.js';
import { LoadSheddingHook } from './load-shedding.hook.js';
import { StopCoalescer } from './stop-coalescer.js';

/** `DELETE /ingest-tasks/{id}`. */
@Module({
  imports: [LifecycleModule, QuotaModule, TencentCloudModule],
  controllers: [IngestTasksController],
  providers: [
    CoalescingMetrics,
    IngestTasksService,
    LoadSheddingHook,
    {
      provide: EndedTaskCache,
      useFactory: createEndedTaskCache,
      inject: [redisConfig.KEY, tencentCloudConfig.KEY],
    },
    {
      provide: StopCoalescer,
      useFactory: (quota: Quota, cache: EndedTaskCache, metrics: CoalescingMetrics) =>
        new StopCoalescer(quota, cache, metrics, systemClock),
      inject: [Quota, EndedTaskCache, CoalescingMetrics],
    },
  ],
  exports: [IngestTasksService, LoadSheddingHook],
})
export class IngestTasksModule {}
