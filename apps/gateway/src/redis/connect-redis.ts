import type { Redis, RedisOptions } from 'ioredis';

const RECONNECT_INTERVAL_MS = 200;
const CONNECT_TIMEOUT_MS = 1000;

interface RedisConnectionOptions {
  /** The purpose of the connection, as `CLIENT LIST` shows it. */
  readonly name: string;
  /** A command fails after this time without a response. */
  readonly commandTimeoutMs: number;
}

/**
 * Creates a connection to Redis (6 or later) or Valkey; with `?cluster=true`, to a cluster through the node in the URL.
 * It connects on demand and reconnects when the connection is lost. While it is not connected, commands
 * are rejected. The Redis client is loaded only when it is used.
 *
 * @param url `redis://` or `rediss://`, with password and database number where needed
 */
export async function connectRedis(
  url: string,
  { name, commandTimeoutMs }: RedisConnectionOptions,
): Promise<Redis> {
  const { default: ioredis } = await import('ioredis');
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
  if (!isCluster) return new ioredis.Redis(target.href, options);
  const { lazyConnect, enableOfflineQueue, retryStrategy, ...nodeOptions } = options;
  const cluster = new ioredis.Cluster([target.href], {
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

/** Returns the part of Redis keys that names the quota: the endpoint and the action. */
export function quotaKey(endpoint: URL): string {
  return `${endpoint.host}/StopStreamIngest`;
}
