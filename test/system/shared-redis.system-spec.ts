import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { stopTask } from '../support/client.js';
import { type Gateway, startGateway } from '../support/gateway.js';
import { RedisProcess } from '../support/redis.js';
import { readMetric } from '../support/metrics.js';

let sandbox: Sandbox;
let redis: RedisProcess;
let gateways: Gateway[];

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
  redis = await RedisProcess.start('--requirepass', 'secret');
  const url = new URL(redis.url);
  url.password = 'secret';
  url.pathname = '/3';
  gateways = [];
  for (let n = 0; n < 3; n += 1) gateways.push(await startGateway(sandbox, { REDIS_URL: url.href }));
});

afterAll(async () => {
  for (const gateway of gateways) await gateway.close();
  await redis.close();
  await sandbox.close();
});

describe('three replicas with one Redis', () => {
  it('delay the first calls until slots are granted after start, and serve them', async () => {
    // With a wait, because a busy machine may connect to Redis late.
    const responses = await Promise.all(
      gateways.map(({ url }, n) => stopTask(url, `first-${n}`, '', { prefer: 'wait=30' })),
    );
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const { url } of gateways) expect(await readMetric(url, 'ingest_gateway_quota_redis_up')).toBe(1);
  });

  it('share 20 slots, so that 20 of 60 simultaneous calls are served', async () => {
    await sleep(3000);
    // No slot frees before the last call arrives.
    sandbox.setDelays({ response: { minMs: 2000, maxMs: 2000 } });
    const responses = await Promise.all(
      Array.from({ length: 60 }, (_, n) => stopTask(gateways[n % 3]!.url, `task-${n}`)),
    );
    sandbox.setDelays({ response: { minMs: 0, maxMs: 0 } });
    const withStatus = (status: number) => responses.filter((response) => response.status === status);
    expect(withStatus(200)).toHaveLength(20);
    expect(withStatus(429)).toHaveLength(40);
    for (const { headers } of withStatus(429))
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(sandbox.state().statistics.peakPerSecond).toBeLessThanOrEqual(20);
  });

  it('serve waiting calls with slots that another replica releases', async () => {
    const responses = await Promise.all(
      Array.from({ length: 45 }, (_, n) =>
        stopTask(gateways[n % 3]!.url, `w-${n}`, '', { prefer: 'wait=30' }),
      ),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 45 }, () => 200));
    expect(sandbox.state().statistics.peakPerSecond).toBeLessThanOrEqual(20);
  });
});
