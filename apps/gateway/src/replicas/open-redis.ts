import { Cluster, Redis, type RedisOptions } from 'ioredis';

const RECONNECT_MS = 200;
const CONNECT_TIMEOUT_MS = 1000;

export interface RedisPurpose {
  /** What the connection is for, as Redis lists it. */
  readonly name: string;
  /** A command without an answer for so long, in milliseconds, is given up. */
  readonly commandTimeoutMs: number;
}

/**
 * Opens a connection to Redis (6 or later) or Valkey; with `?cluster=true`, to a cluster through the node that the
 * URL names. It connects when told to, and again and again when it is lost; what is asked meanwhile is rejected.
 *
 * @param url `redis://` or `rediss://`, with password and database number where needed
 */
export function openRedis(url: string, { name, commandTimeoutMs }: RedisPurpose): Redis {
  const target = new URL(url);
  const clustered = target.searchParams.has('cluster');
  target.search = '';
  const options = {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: commandTimeoutMs,
    retryStrategy: () => RECONNECT_MS,
    connectionName: `ingest-gateway-${name}`,
  } satisfies RedisOptions;
  if (!clustered) return new Redis(target.href, options);
  const { lazyConnect, enableOfflineQueue, retryStrategy, ...ofEachNode } = options;
  const cluster = new Cluster([target.href], {
    lazyConnect,
    enableOfflineQueue,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
    redisOptions: {
      ...ofEachNode,
      ...(target.username && { username: decodeURIComponent(target.username) }),
      ...(target.password && { password: decodeURIComponent(target.password) }),
      ...(target.protocol === 'rediss:' && { tls: {} }),
    },
  });
  // It has the same commands and events.
  return cluster as unknown as Redis;
}
