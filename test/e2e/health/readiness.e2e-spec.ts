import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Lifecycle } from '../../../apps/gateway/src/lifecycle/lifecycle.js';
import { send } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { sandboxFixture } from '../../support/fixtures.js';
import { freePort } from '../../support/free-port.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { readMetric } from '../../support/metrics.js';
import { RedisProcess } from '../../support/redis.js';
import { TcpServer } from '../../support/tcp-server.js';

const sandbox = await sandboxFixture({ acceptUnknownTasks: true });
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

async function start(variables: Record<string, string> = {}): Promise<Gateway> {
  const gateway = await startGateway(sandbox, variables);
  cleanups.push(() => gateway.close());
  return gateway;
}

async function redisWith(...settings: string[]): Promise<RedisProcess> {
  const redis = await RedisProcess.start(...settings);
  cleanups.push(() => redis.close());
  return redis;
}

const get = ({ url }: Gateway) => send(url, '/readyz', { method: 'GET' });

/** Returns the status of GET, which is that of HEAD, and the body of GET. */
async function readiness(gateway: Gateway) {
  const { status, body } = await get(gateway);
  const head = await send(gateway.url, '/readyz', { method: 'HEAD' });
  expect(head).toMatchObject({ status, text: '' });
  return { status, body };
}

const READY = { status: 200, body: { status: 'ok' } };
const unavailable = (...reasons: string[]) => ({ status: 503, body: { status: 'unavailable', reasons } });
const CONNECTION_LOST = /^(?:EPIPE|ECONNRESET|closed)$/;
const redisReasons = ({ logs }: Gateway): unknown[] =>
  logs.filter(({ event }) => event === 'quota-redis-disconnected').map(({ reason }) => reason);
const redisUp = ({ url }: Gateway) => readMetric(url, 'ingest_gateway_quota_redis_up');

describe('a replica that has never reached Redis is not ready', () => {
  it('when nothing listens at the address', async () => {
    const gateway = await start({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    expect(await readiness(gateway)).toEqual(unavailable('redis-never-reached'));
  });

  it('when the server does not respond', async () => {
    const server = await TcpServer.start(() => {});
    cleanups.push(() => server.close());
    const gateway = await start({ REDIS_URL: `redis://127.0.0.1:${server.port}` });
    await eventually(async () => gateway.logs.some(({ event }) => event === 'quota-redis-disconnected'));
    expect(await readiness(gateway)).toEqual(unavailable('redis-never-reached'));
  });

  it('when the password is wrong, until it is right', async () => {
    const redis = await redisWith();
    await redis.command('ACL', 'SETUSER', 'gateway', 'on', '>right', '~*', '+@all');
    const gateway = await start({ REDIS_URL: redis.url.replace('//', '//gateway:other@') });
    await eventually(async () => gateway.logs.some(({ reason }) => reason === 'WRONGPASS'));
    expect(await readiness(gateway)).toEqual(unavailable('redis-never-reached'));
    await redis.command('ACL', 'SETUSER', 'gateway', '>other');
    await eventually(async () => (await get(gateway)).status === 200);
    expect(await readiness(gateway)).toEqual(READY);
  });

  it('when the user has no permission to run scripts', async () => {
    const redis = await redisWith();
    await redis.command('ACL', 'SETUSER', 'limited', 'on', '>pw', '~*', '+@all', '-@scripting');
    const gateway = await start({ REDIS_URL: redis.url.replace('//', '//limited:pw@') });
    await eventually(async () => gateway.logs.some(({ reason }) => reason === 'NOPERM'));
    expect(await readiness(gateway)).toEqual(unavailable('redis-never-reached'));
  });

  it('when the server has reached its limit of clients, until it has not', async () => {
    const redis = await redisWith('--maxclients', '1');
    const otherClient = connect(redis.port, '127.0.0.1');
    await once(otherClient, 'connect');
    otherClient.write('PING\r\n');
    await once(otherClient, 'data');
    const gateway = await start({ REDIS_URL: redis.url });
    await eventually(() => redisReasons(gateway).includes('max-clients'));
    expect(redisReasons(gateway)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(CONNECTION_LOST)]),
    );
    expect(await readiness(gateway)).toEqual(unavailable('redis-never-reached'));
    otherClient.write('CONFIG SET maxclients 1000\r\n');
    await once(otherClient, 'data');
    otherClient.destroy();
    await eventually(async () => (await get(gateway)).status === 200);
  });

  it('when the server is in protected mode, and says so', async () => {
    const server = await TcpServer.start((socket) => {
      // As Redis: it does not read the command, so its close resets the connection.
      socket.pause().end(`-DENIED Redis is running in protected mode because no password is set.\r\n`);
    });
    cleanups.push(() => server.close());
    const gateway = await start({ REDIS_URL: `redis://127.0.0.1:${server.port}` });
    await eventually(() => redisReasons(gateway).includes('protected-mode'));
    expect(redisReasons(gateway)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(CONNECTION_LOST)]),
    );
  });
});

describe('a replica that has reached Redis once', () => {
  it('stays ready when Redis fails', async () => {
    const redis = await redisWith();
    const gateway = await start({ REDIS_URL: redis.url });
    await eventually(async () => (await get(gateway)).status === 200);
    await redis.signal('SIGKILL');
    await eventually(async () => (await redisUp(gateway)) === 0);
    expect(await readiness(gateway)).toEqual(READY);
  });
});

describe('/readyz', () => {
  it('names missing credentials', async () => {
    const metadataService = await TcpServer.start((socket) => socket.destroy());
    cleanups.push(() => metadataService.close());
    const gateway = await startGateway(
      sandbox,
      { TENCENTCLOUD_SECRET_ID: '', TENCENTCLOUD_SECRET_KEY: '', TENCENTCLOUD_CVM_ROLE: 'role' },
      { metadataService: new URL(`http://127.0.0.1:${metadataService.port}`) },
    );
    cleanups.push(() => gateway.close());
    expect(await readiness(gateway)).toEqual(unavailable('no-credentials'));
  });

  it('names every reason', async () => {
    const gateway = await start({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    const drained = gateway.app.get(Lifecycle).drain(1000);
    expect(await readiness(gateway)).toEqual(unavailable('draining', 'redis-never-reached'));
    await drained;
  });
});
