import { hash } from 'node:crypto';
import { compare, recordResponse, scriptSubject } from '../compare.js';
import { Cloud, Gateway, keyOf } from '../gateway.js';
import { LoadGenerator, STOP_REQUEST } from '../load-generator.js';
import { LogFile } from '../log-file.js';
import { Nginx } from '../nginx.js';
import { CountingRedis } from '../redis.js';
import type { Figure, Row } from '../row.js';
import { SERVER_CORE, startScript } from '../script.js';

export const flood: Row = {
  name: 'flood',
  workload: '429 over the quota, over 32 connections kept alive, the server on one core',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const gateway = await (await Gateway.start(cloud, { core: SERVER_CORE })).waitForSlots();
    const redis = await CountingRedis.start();
    const redisGateway = await Gateway.start(cloud, { core: SERVER_CORE, env: { REDIS_URL: redis.url } });
    const response = await recordResponse(gateway.url, keyOf(0), 429);
    const [log, naiveLog] = [new LogFile(), new LogFile()];
    const core = SERVER_CORE;
    const [bare, throttler, naive, instrumented] = await Promise.all([
      startScript('./servers/bare-http.js', response, { core }),
      startScript('./servers/throttler.js', {}, { core }),
      startScript(
        './servers/naive-gateway.js',
        { ...cloud.address, callsPerSecond: 20 },
        { core, stdout: naiveLog.descriptor },
      ),
      startScript(
        './servers/instrumented-http.js',
        { response, keySha256: hash('sha256', keyOf(0)) },
        { core, stdout: log.descriptor },
      ),
    ]);
    const nginx = await Nginx.start();
    const subjects = [
      scriptSubject('gateway', { child: gateway.child, ready: gateway.port }, '429', () =>
        gateway.truncateLog(),
      ),
      scriptSubject('bare node:http, same bytes', bare, '429'),
      scriptSubject('Nest, Express, @nestjs/throttler', throttler, '429'),
      scriptSubject('the naive gateway', naive, '429', () => naiveLog.truncate()),
      scriptSubject(IN_REDIS, { child: redisGateway.child, ready: redisGateway.port }, '429', () =>
        redisGateway.truncateLog(),
      ),
      scriptSubject('bare node:http with key lookup, metrics and log', instrumented, '429', () =>
        log.truncate(),
      ),
      ...(nginx
        ? [{ name: 'nginx limit_req', port: nginx.port, cpuSeconds: () => nginx.cpuSeconds(), status: '429' }]
        : []),
    ];
    const generator = await LoadGenerator.start();
    const load = { head: STOP_REQUEST, connections: 32, ms: quick ? 1500 : 2000 };
    const [measured, ...baselines] = await compare(generator, subjects, load, quick ? 3 : 7);
    const scripts = [bare, throttler, naive, instrumented].map(({ child }) => child);
    await Promise.all(
      [generator, ...scripts, gateway, redisGateway, redis, cloud].map((each) => each.stop()),
    );
    await nginx?.stop();
    log.remove();
    naiveLog.remove();
    const inRedis = baselines.find(({ name }) => name === IN_REDIS)!;
    const naiveCpu = baselines.find(({ name }) => name === 'the naive gateway')!.cpuMicros;
    const cpu = (values: number[], name: string, atMost: number): Figure => ({
      metric: 'processor time for one 429, µs',
      measured: { name, values },
      baseline: { name: 'the naive gateway', values: naiveCpu },
      target: { atMost },
    });
    return [
      cpu(measured!.cpuMicros, 'gateway', 0.45),
      { ...cpu(inRedis.cpuMicros, IN_REDIS, 0.55), note: 'slots in Redis' },
      ...baselines.map(({ name, perSecond }): Figure => ({
        metric: '429 per second',
        measured: { name: 'gateway', values: measured!.perSecond },
        baseline: { name, values: perSecond },
      })),
      ...(nginx ? [] : [NOT_INSTALLED]),
    ];
  },
};

const IN_REDIS = 'gateway with slots in Redis';

const NOT_INSTALLED: Figure = {
  metric: '429 per second against nginx limit_req: not installed',
  measured: { name: 'gateway', values: [] },
};
