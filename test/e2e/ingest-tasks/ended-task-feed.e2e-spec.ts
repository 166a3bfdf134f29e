import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { quotaKey } from '../../../apps/gateway/src/redis/connect-redis.js';
import { stopTask } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { sandboxFixture } from '../../support/fixtures.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { readMetric } from '../../support/metrics.js';
import { RedisProcess } from '../../support/redis.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const REQUEST_ID = '71993312-6ab8-4768-9124-118e0a20c45f';
const TASK = '1400000001/ap-singapore/';

/** The gateway limits how long it remembers an entry. */
const FUTURE = '9'.repeat(15);
const CONNECTED = 'ingest_gateway_ended_task_feed_connected';

const sandbox = await sandboxFixture({ acceptUnknownTasks: true, quotaPerSecond: 1000 });
const feedKey = `ingest-gateway:{${quotaKey(new URL(sandbox.httpsUrl))}}:ended`;
const cleanups: (() => Promise<unknown>)[] = [];
let firstLog = 0;

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

async function startRedis(): Promise<RedisProcess> {
  const redis = await RedisProcess.start();
  cleanups.push(() => redis.close());
  return redis;
}

async function startConnected(url: string): Promise<Gateway> {
  const gateway = await startGateway(sandbox, { REDIS_URL: url });
  cleanups.push(() => {
    // All gateways of this file share their entries.
    firstLog = gateway.logs.length;
    return gateway.close();
  });
  await eventually(async () => (await readMetric(gateway.url, CONNECTED)) === 1);
  await eventually(async () => (await stopTask(gateway.url, 'first')).status === 200);
  return gateway;
}

const invalidEntries = (gateway: Gateway) =>
  gateway.logs.slice(firstLog).filter(({ event }) => event === 'ended-task-feed-invalid');

/** Adds valid entries until the gateway has received one. */
async function addUntilReceived(redis: RedisProcess, gateway: Gateway): Promise<void> {
  const taskId = randomUUID();
  const fields = [`${TASK}${taskId}`, REQUEST_ID, 'endedAt', FUTURE];
  await eventually(async () => {
    await redis.command('XADD', feedKey, '*', ...fields);
    return (await stopTask(gateway.url, taskId)).body?.['requestId'] === REQUEST_ID;
  });
}

describe('entries that no replica of this version can have written', () => {
  it('are ignored, and logged at most once a minute', async () => {
    const redis = await startRedis();
    const gateway = await startConnected(redis.url);
    const taskId = randomUUID();
    for (const requestId of ['', 'x'.repeat(36), 'x'.repeat(1_000_000)])
      await redis.command('XADD', feedKey, '*', `${TASK}${taskId}`, requestId, 'endedAt', FUTURE);
    await addUntilReceived(redis, gateway);
    expect(invalidEntries(gateway)).toMatchObject([{ level: 'warn', entries: expect.any(Number) }]);
    expect((await stopTask(gateway.url, taskId)).body).toMatchObject({ status: 'stopped' });
  });
});

describe('entries that are larger than any reply of the feed', () => {
  it.each([
    ['one of 100 MB', 1, 100_000_000],
    ['many of 10 kB', 1000, 10_000],
  ])('are skipped and logged, and do not affect stops: %s', async (_, count, bytes) => {
    const redis = await startRedis();
    const taskId = randomUUID();
    const large = ['XADD', feedKey, '*', `${TASK}${taskId}`, 'x'.repeat(bytes), 'endedAt', FUTURE];
    for (let n = 0; n < count; n += 1) await redis.command(...large);
    const gateway = await startConnected(redis.url);
    expect((await stopTask(gateway.url, taskId)).body).toMatchObject({ status: 'stopped' });
    await addUntilReceived(redis, gateway);
    expect(invalidEntries(gateway)).toMatchObject([{ level: 'warn', entries: 1 }]);
  });
});

describe('the feed of ended tasks', () => {
  it('is not connected when the network drops everything, and reconnects by itself', async () => {
    const redis = await startRedis();
    const proxy = await TcpProxy.start(redis.port);
    cleanups.push(() => proxy.close());
    const gateway = await startConnected(`redis://${proxy.host}`);
    proxy.disconnect();
    await eventually(async () => (await readMetric(gateway.url, CONNECTED)) === 0);
    await eventually(async () => (await stopTask(gateway.url, 'not published')).status === 200);
    // The connections from before have been given up: only new ones pass.
    proxy.forwardNewConnections();
    await eventually(async () => (await readMetric(gateway.url, CONNECTED)) === 1);
    await addUntilReceived(redis, gateway);
    expect(await readMetric(gateway.url, CONNECTED)).toBe(1);
  });

  it('is connected without REDIS_URL', async () => {
    const gateway = await startGateway(sandbox);
    cleanups.push(() => gateway.close());
    expect(await readMetric(gateway.url, CONNECTED)).toBe(1);
  });
});
