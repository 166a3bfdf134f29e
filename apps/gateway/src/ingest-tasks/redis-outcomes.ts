import { KNOWN_FOR_MS, type OutcomesElsewhere } from './known-outcomes.js';

/** No call waits longer than this for Redis, in milliseconds. */
const COMMAND_TIMEOUT_MS = 250;

const RECONNECT_MS = 200;

/**
 * Tasks that have ended, in Redis.
 *
 * @param scope the endpoint and the action
 */
export async function openRedisOutcomes(url: string, scope: string): Promise<OutcomesElsewhere> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: () => RECONNECT_MS,
    connectionName: 'ingest-gateway-outcomes',
  });
  // That Redis is away is told by the quota; without it a call is made that might have been spared.
  redis.on('error', () => {});
  const key = (task: string): string => `ingest-gateway:{${scope}}:ended:${task}`;
  return {
    find: async (task) => (await redis.get(key(task)).catch(() => null)) ?? undefined,
    tell: (task, requestId) => void redis.set(key(task), requestId, 'PX', KNOWN_FOR_MS).catch(() => {}),
    close: () => redis.disconnect(),
  };
}
