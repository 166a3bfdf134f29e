import type { Redis } from 'ioredis';

export interface RedisConnectionOptions {
  /** The purpose of the connection, as `CLIENT LIST` shows it. */
  readonly name: string;
  /** A command without a response for so long fails. */
  readonly commandTimeoutMs: number;
}

/** The Redis client is loaded only by a gateway that uses it. */
export async function connectRedis(url: string, options: RedisConnectionOptions): Promise<Redis> {
  const { openRedis } = await import('./open-redis.js');
  return openRedis(url, options);
}

/** What the quota counts together, and what replicas may share: an endpoint and the action. */
export function quotaKey(endpoint: URL): string {
  return `${endpoint.host}/StopStreamIngest`;
}
