import type { RedisConfig, TencentCloudConfig } from '../config/configuration.js';
import { connectRedis, quotaKey } from '../redis/connect-redis.js';
import { EndedTaskCache } from './ended-task-cache.js';
import { RedisEndedTaskFeed } from './redis-ended-task-feed.js';

const WRITER = { name: 'ended-tasks-writer', commandTimeoutMs: 2000 };

/** The timeout is longer than a blocking read. */
const READER = { name: 'ended-tasks-reader', commandTimeoutMs: 10_000 };

/** Creates the cache of ended tasks: local to this process, or with REDIS_URL shared by all replicas. */
export async function createEndedTaskCache(
  { url }: RedisConfig,
  { endpoint }: TencentCloudConfig,
): Promise<EndedTaskCache> {
  if (url === undefined) return new EndedTaskCache();
  const [writer, reader] = await Promise.all([connectRedis(url, WRITER), connectRedis(url, READER)]);
  return new EndedTaskCache(new RedisEndedTaskFeed(writer, reader, quotaKey(endpoint)));
}
