import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { sandboxFixture } from '../../support/fixtures.js';
import { startGateway } from '../../support/gateway.js';
import { RedisProcess } from '../../support/redis.js';

const sandbox = await sandboxFixture();

/** Starts a gateway and waits until it has read what Redis keeps. @returns the number of warnings of this policy */
async function countWarnings(policy: string): Promise<number> {
  const redis = await RedisProcess.start('--maxmemory-policy', policy);
  const gateway = await startGateway(sandbox, { REDIS_URL: redis.url });
  const entries = (event: string) =>
    gateway.logs.filter((entry) => entry['event'] === event && entry['evictionPolicy'] === policy);
  await eventually(() => entries('async-stops-redis-not-durable').length > 0);
  await gateway.close();
  await redis.close();
  return entries('quota-redis-evicts-keys').length;
}

describe('a Redis that evicts keys when its memory is full', () => {
  it('is reported once when the gateway connects', async () => {
    expect(await countWarnings('allkeys-lru')).toBe(1);
  });
});

describe('a Redis that evicts nothing', () => {
  it('is not reported', async () => {
    expect(await countWarnings('noeviction')).toBe(0);
  });
});
