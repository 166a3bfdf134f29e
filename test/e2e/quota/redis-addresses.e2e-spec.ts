import dns from 'node:dns';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { connectRedis } from '../../../apps/gateway/src/redis/connect-redis.js';
import { parseRedisUrl } from '../../../apps/gateway/src/redis/parse-redis-url.js';
import { SlowListener } from '../../../libs/tencent-cloud/test/slow-listener.js';
import { RedisProcess } from '../../support/redis.js';

const cleanups: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

describe('a REDIS_URL whose name has a dead first address and a live second one', () => {
  it('reaches the second one at the first attempt', async () => {
    const redis = await RedisProcess.start();
    cleanups.push(() => redis.close());
    const dead = await SlowListener.start('127.0.0.2', redis.port);
    cleanups.push(() => dead.close());
    const addresses = ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 }));
    const lookup = jest
      .spyOn(dns, 'lookup')
      .mockImplementation(((_host: string, _options: unknown, done: (error: null, result: unknown) => void) =>
        done(null, addresses)) as never);
    cleanups.push(() => lookup.mockRestore());
    const target = parseRedisUrl(`redis://redis.test:${redis.port}`)!;
    const client = await connectRedis(target, { name: 'test', commandTimeoutMs: 2000, hashTag: 'test' });
    cleanups.push(() => client.disconnect());
    // Rejected when the first attempt fails.
    await client.connect();
    expect(await client.ping()).toBe('PONG');
    expect(lookup).toHaveBeenCalled();
  });
});
