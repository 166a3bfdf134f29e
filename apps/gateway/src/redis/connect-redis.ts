import type { Redis, RedisOptions } from 'ioredis';
import type { RedisTarget } from './parse-redis-url.js';

const RECONNECT_INTERVAL_MS = 200;

/** Divided among all addresses of a name. */
const CONNECT_TIMEOUT_MS = 1000;

/** The largest reply has a thousand ended tasks, each with an id of at most 1 KiB. */
const MAX_REPLY_BYTES = 4 * 1024 * 1024;

interface RedisConnectionOptions {
  /** The purpose of the connection, as `CLIENT LIST` shows it. */
  readonly name: string;
  /** A command fails after this time without a response. */
  readonly commandTimeoutMs: number;
  /** The hash tag of all keys: one node of a cluster holds them all. */
  readonly hashTag: string;
}

/**
 * Creates a connection to Redis (6 or later) or Valkey, or to the node of a cluster that holds the keys of the gateway.
 * It connects on demand and reconnects when the connection is lost. While it is not connected, commands
 * are rejected. The Redis client is loaded only when it is used.
 */
export async function connectRedis(
  { addresses, isCluster, hasTls, username, password, database }: RedisTarget,
  { name, commandTimeoutMs, hashTag }: RedisConnectionOptions,
): Promise<Redis> {
  const options = {
    lazyConnect: true,
    enableOfflineQueue: false,
    // The first command shows the same errors, and the user may not be allowed to run INFO.
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: CONNECT_TIMEOUT_MS,
    connectionName: `ingest-gateway-${name}`,
    // With the name, a server without a password accepts any password instead of a warning on stderr.
    ...(password() && { username: username || 'default', password: password() }),
    ...(hasTls && { tls: { rejectUnauthorized: true } }),
  } satisfies RedisOptions;
  const { default: ioredis } = await import('ioredis');
  const { containReplyErrors } = await import('./contain-reply-errors.js');
  containReplyErrors();
  const { ClusterConnector } = await import('./cluster-connector.js');
  const { connectorTo } = await import('./redis-connector.js');
  const redis = new ioredis.Redis({
    ...options,
    ...addresses[0],
    db: database,
    commandTimeout: commandTimeoutMs,
    // Ends a half-open connection.
    socketTimeout: commandTimeoutMs,
    retryStrategy: () => RECONNECT_INTERVAL_MS,
    // After a failover or a resharding, another server accepts the commands.
    reconnectOnError: ({ message }) => /^(MOVED|READONLY) /.test(message),
    Connector: isCluster
      ? class extends ClusterConnector {
          constructor() {
            super(
              { ...options, commandTimeout: CONNECT_TIMEOUT_MS },
              addresses,
              `ingest-gateway:{${hashTag}}`,
            );
          }
        }
      : connectorTo(options, addresses[0]!),
  });
  redis.on('error', (error: Error & { command?: { name: string } }) => {
    // Without the database of the URL, commands would use database 0.
    if (error.command?.name === 'select') redis.disconnect(true);
  });
  redis.on('connect', () => limitReplySize(redis.stream));
  return redis;
}

/** Returns the hash tag of the Redis keys of a quota: the endpoint and the action. */
export function quotaKey(endpoint: URL): string {
  return `${endpoint.host}/StopStreamIngest`;
}

/** Ends the connection when it has received too many bytes since its last command: a value can have 512 MB. */
function limitReplySize(stream: Redis['stream']): void {
  let bytesWritten = 0;
  let bytesReadBefore = 0;
  stream.prependListener('data', () => {
    if (bytesWritten !== stream.bytesWritten) bytesReadBefore = stream.bytesRead;
    bytesWritten = stream.bytesWritten;
    if (stream.bytesRead - bytesReadBefore > MAX_REPLY_BYTES)
      stream.destroy(Object.assign(new Error('the reply is too large'), { code: 'reply-too-large' }));
  });
}
