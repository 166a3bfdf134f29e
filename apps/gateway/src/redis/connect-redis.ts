import type { Redis } from 'ioredis';

export interface RedisConnectionOptions {
  /** The purpose of the connection, as `CLIENT LIST` shows it. */
  readonly name: string;
  /** A command fails after this time without a response. */
  readonly commandTimeoutMs: number;
}

/** Creates a connection to Redis. The Redis client is loaded only when it is used. */
export async function connectRedis(url: string, options: RedisConnectionOptions): Promise<Redis> {
  const { openRedis } = await import('./open-redis.js');
  return openRedis(url, options);
}

/** Returns the part of Redis keys that names the quota: the endpoint and the action. */
export function quotaKey(endpoint: URL): string {
  return `${endpoint.host}/StopStreamIngest`;
}
