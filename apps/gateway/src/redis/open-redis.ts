import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisConnectionOptions } from './connect-redis.js';

const RECONNECT_INTERVAL_MS = 200;
const CONNECT_TIMEOUT_MS = 1000;

/**
 * Creates a connection to Redis (6 or later) or Valkey; with `?cluster=true`, to a cluster through the node in the URL.
 * It connects on demand and reconnects when the connection is lost. While it is not connected, commands
 * are rejected.
 *
 * @param url `redis://` or `rediss://`, with password and database number where needed
 */
export function openRedis(url: string, { name, commandTimeoutMs }: RedisConnectionOptions): Redis {
  const target = new URL(url);
  const isCluster = target.searchParams.has('cluster');
  target.search = '';
  const options = {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: commandTimeoutMs,
    retryStrategy: () => RECONNECT_INTERVAL_MS,
    connectionName: `ingest-gateway-${name}`,
  } satisfies RedisOptions;
  if (!isCluster) return new Redis(target.href, options);
  const { lazyConnect, enableOfflineQueue, retryStrategy, ...nodeOptions } = options;
  const cluster = new Cluster([target.href], {
    lazyConnect,
    enableOfflineQueue,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
    redisOptions: {
      ...nodeOptions,
      ...(target.username && { username: decodeURIComponent(target.username) }),
      ...(target.password && { password: decodeURIComponent(target.password) }),
      ...(target.protocol === 'rediss:' && { tls: {} }),
    },
  });
  // It has the same commands and events.
  return cluster as unknown as Redis;
}
