import { afterAll, describe, expect, it } from '@jest/globals';
import { startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { stopTask } from '../../support/client.js';
import { startGateway } from '../../support/gateway.js';
import { holdSlots } from '../../support/hold-slots.js';
import { readMetric } from '../../support/metrics.js';
import { RedisProcess } from '../../support/redis.js';

const redis = await RedisProcess.start();
const sandbox = await startSandbox({ acceptUnknownTasks: true });
const gateway = await startGateway(sandbox, {
  REDIS_URL: redis.url,
  UPSTREAM_ATTEMPT_TIMEOUT_MS: '30000',
  UPSTREAM_DEADLINE_MS: '35000',
});
afterAll(async () => {
  await gateway.close();
  await sandbox.close();
  await redis.close();
});

/** The commands to Redis that ask for a slot or report demand. */
async function countCommands(): Promise<number> {
  const name = 'ingest_gateway_quota_redis_commands_total';
  const counts = ['acquire', 'renew'].map((command) =>
    readMetric(gateway.url, `${name}{command="${command}"}`),
  );
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

describe('a flood while all slots in Redis are in use', () => {
  it('is rejected with quota-exhausted and Retry-After, and Redis receives less than one command for ten calls', async () => {
    const held = await holdSlots(
      sandbox,
      gateway.url,
      Array.from({ length: 20 }, (_, n) => `held-${n}`),
    );
    await stopTask(gateway.url, 'first');
    const before = await countCommands();
    let rejected = 0;
    await Promise.all(
      Array.from({ length: 20 }, async (_, connection) => {
        for (let n = 0; n < 50; n += 1) {
          const response = await stopTask(gateway.url, `flood-${connection}-${n}`);
          expect(response).toMatchObject({
            status: 429,
            body: { code: 'quota-exhausted', outcome: 'not-sent' },
          });
          expect(Number(response.headers['retry-after'])).toBeGreaterThanOrEqual(1);
          rejected += 1;
        }
      }),
    );
    expect(rejected).toBe(1000);
    expect((await countCommands()) - before).toBeLessThan(100);
    held.release();
    expect((await held.responses).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
  });
});
