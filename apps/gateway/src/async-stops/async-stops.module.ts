import { Global, Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import type { AsyncStopsConfig, RedisConfig, TencentCloudConfig } from '../config/configuration.js';
import { asyncStopsConfig, redisConfig, tencentCloudConfig } from '../config/namespaces.js';
import { IngestTasksModule } from '../ingest-tasks/ingest-tasks.module.js';
import { StopBacklog } from '../ingest-tasks/stop-backlog.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { QuotaModule } from '../quota/quota.module.js';
import { connectRedis, quotaKey } from '../redis/connect-redis.js';
import { systemClock } from '../time/system-clock.js';
import { AsyncStopsMetrics } from './async-stops-metrics.js';
import { AsyncStopsService, BACKLOG_STORAGE, type BacklogStorage } from './async-stops.service.js';
import { BacklogClock } from './backlog-clock.js';
import { MAX_BACKOFF_MS } from './backoff.js';
import { StopsController } from './stops.controller.js';

/** Writing with `appendfsync always` can take long. */
const CONNECTION = { name: 'async-stops', commandTimeoutMs: 2000 };

/** An execution shares a call that may have just begun, and then its result is stored. */
const LOCK_MARGIN_MS = 5000;

const KEEP_MS = 24 * 60 * 60 * 1000;
const KEEP_COUNT = 10_000;

/**
 * `Prefer: respond-async`, `GET /stops` and `GET /stops/{id}`. It is global because `IngestTasksModule`, which it
 * imports, submits stops to its {@link StopBacklog}.
 */
@Global()
@Module({
  imports: [AuthModule, IngestTasksModule, LifecycleModule, QuotaModule],
  controllers: [StopsController],
  providers: [
    AsyncStopsMetrics,
    AsyncStopsService,
    { provide: StopBacklog, useExisting: AsyncStopsService },
    {
      provide: BACKLOG_STORAGE,
      useFactory: createStorage,
      inject: [redisConfig.KEY, tencentCloudConfig.KEY, asyncStopsConfig.KEY],
    },
  ],
  exports: [AsyncStopsService, StopBacklog],
})
export class AsyncStopsModule {}

async function createStorage(
  { target }: RedisConfig,
  { endpoint, attemptTimeoutMs, deadlineMs }: TencentCloudConfig,
  { limitPerCaller }: AsyncStopsConfig,
): Promise<BacklogStorage | undefined> {
  if (!target) return undefined;
  // It loads BullMQ.
  const { StopStore } = await import('./stop-store.js');
  const hashTag = quotaKey(endpoint);
  const redis = await connectRedis(target, { ...CONNECTION, hashTag });
  const prefix = `ingest-gateway:{${hashTag}}:stops`;
  const store = new StopStore(redis, {
    prefix,
    limitPerCaller,
    lockMs: Math.max(attemptTimeoutMs, deadlineMs) + LOCK_MARGIN_MS,
    keepMs: KEEP_MS,
    keepCount: KEEP_COUNT,
    maxDelayMs: MAX_BACKOFF_MS,
  });
  return { redis, store, clock: new BacklogClock(redis, `${prefix}:clock`, systemClock) };
}
