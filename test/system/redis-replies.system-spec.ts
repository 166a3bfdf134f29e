import { connect } from 'node:net';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { scaledRuns } from '../../libs/quota/test/scaled-runs.js';
import { stopTask } from '../support/client.js';
import { gatewayEnvironment } from '../support/environment.js';
import { sandboxFixture } from '../support/fixtures.js';
import { GatewayProcess } from '../support/process.js';
import { RedisProcess } from '../support/redis.js';
import { findSecrets } from '../support/secret-scanner.js';
import { TcpServer } from '../support/tcp-server.js';

/** After most of them, the gateway connects again and waits for its slots, so there are fewer than of other inputs. */
const REPLIES = scaledRuns(200);
const PARALLEL_CALLS = 16;

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
/** Bytes in place of a reply, or a change to the reply. */
const change = fc.oneof(
  fc
    .constantFrom(
      '+OK\r\n',
      '-ERR x\r\n',
      '$-1\r\n',
      '*-1\r\n',
      '*0\r\n',
      ':7\r\n',
      '_\r\n',
      '%1\r\n+a\r\n:1\r\n',
      '*1000000000\r\n',
      '$1000000000\r\n',
      `*3\r\n${'*1\r\n'.repeat(1000)}`,
    )
    .map((text) => () => latin1(text)),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => () => Buffer.from(bytes)),
  fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(([at, byte]) => (reply: Buffer) => {
    const changed = Buffer.from(reply);
    changed[at % changed.length] = byte;
    return changed;
  }),
  fc.nat().map((at) => (reply: Buffer) => reply.subarray(0, at % reply.length)),
  fc.nat().map((at) => (reply: Buffer) => Buffer.concat([reply.subarray(at % reply.length), reply])),
  fc
    .constantFrom('0', '-1', '1e999', '9'.repeat(15), 'nan', '')
    .map((number) => (reply: Buffer) => latin1(reply.toString('latin1').replaceAll(/(?<=^:)\d+/gm, number))),
);

const seed = Math.floor(Math.random() * 2 ** 31);
/** Replies and pushes that no command has requested. */
const UNREQUESTED = ['$-1\r\n', '_\r\n', '*-1\r\n', '>1\r\n_\r\n', '>0\r\n', '-ERR x\r\n', '+OK\r\n'].map(
  (text) => (reply: Buffer) => Buffer.concat([reply, latin1(text)]),
);
const changes = [...UNREQUESTED, ...fc.sample(change, { numRuns: REPLIES - UNREQUESTED.length, seed })];
let changed = 0;
const redis = await RedisProcess.start();
const sandbox = await sandboxFixture({ acceptUnknownTasks: true, quotaPerSecond: 100_000 });
/** Changes every fourth reply of Redis. */
const proxy = await TcpServer.start((downstream) => {
  const upstream = connect(redis.port, '127.0.0.1');
  let replies = 0;
  upstream.on('error', () => {});
  downstream.on('close', () => upstream.destroy());
  upstream.on('close', () => downstream.destroy());
  downstream.on('data', (data: Buffer) => upstream.write(data));
  upstream.on('data', (data: Buffer) => {
    replies += 1;
    const next = replies % 4 === 0 ? changes[changed] : undefined;
    if (next) changed += 1;
    downstream.write(next ? next(data) : data);
  });
});
const environment = gatewayEnvironment(sandbox);
const gateway = new GatewayProcess({
  ...environment,
  TRTC_ENDPOINT: sandbox.httpUrl,
  QUOTA_PER_SECOND: '1000',
  REDIS_URL: `redis://:any-password@127.0.0.1:${proxy.port}`,
  LOG_LEVEL: 'trace',
});
const url = await gateway.url();

afterAll(async () => {
  gateway.kill('SIGKILL');
  await proxy.close();
  await redis.close();
});

describe(`${REPLIES} replies of Redis that are random or changed`, () => {
  it('cause neither a crash nor a 500, and no output contains a secret', async () => {
    const statuses = new Set<number>();
    const outputs: string[] = [];
    let calls = 0;
    const callUntilChanged = async (): Promise<void> => {
      for (;;) {
        if (changed >= REPLIES) return;
        calls += 1;
        const prefer = calls % 5 === 0 ? 'respond-async' : 'wait=1';
        const { status, text, headers } = await stopTask(url, `task-${calls}`, '', { prefer });
        statuses.add(status);
        outputs.push(text, JSON.stringify(headers));
      }
    };
    const end = await Promise.race([
      Promise.all(Array.from({ length: PARALLEL_CALLS }, callUntilChanged)).catch(String),
      gateway.finished,
    ]);
    expect({ seed, end, changes: changed }).toEqual({ seed, end: expect.any(Array), changes: REPLIES });
    const { code, stdout, stderr } = await gateway.stop('SIGTERM');
    outputs.push(stdout);
    expect({ seed, code, stderr }).toEqual({ seed, code: 0, stderr: '' });
    expect(stdout).not.toContain('unhandled-exception');
    expect([...statuses].filter((status) => ![200, 202, 429, 503].includes(status))).toEqual([]);
    expect(statuses).toContain(200);
    const secrets = {
      key: environment['TENCENTCLOUD_SECRET_KEY']!,
      id: environment['TENCENTCLOUD_SECRET_ID']!,
      password: 'any-password',
    };
    expect(outputs.flatMap((output) => findSecrets(output, secrets))).toEqual([]);
  }, 600_000);
});
