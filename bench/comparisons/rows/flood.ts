import { hash } from 'node:crypto';
import { compare, recordResponse, scriptSubject } from '../compare.js';
import { Cloud, Gateway, keyOf } from '../gateway.js';
import { LoadGenerator, STOP_REQUEST } from '../load-generator.js';
import { LogFile } from '../log-file.js';
import { Nginx } from '../nginx.js';
import type { Figure, Row } from '../row.js';
import { SERVER_CORE, startScript } from '../script.js';

export const flood: Row = {
  name: 'flood',
  workload: '429 over the quota, over 32 connections kept alive, the server on one core',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const gateway = await (await Gateway.start(cloud, { core: SERVER_CORE })).waitForSlots();
    const response = await recordResponse(gateway.url, keyOf(0), 429);
    const log = new LogFile();
    const core = SERVER_CORE;
    const [bare, throttler, instrumented] = await Promise.all([
      startScript('./servers/bare-http.js', response, { core }),
      startScript('./servers/throttler.js', {}, { core }),
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
      scriptSubject('bare node:http with key lookup, metrics and log', instrumented, '429', () =>
        log.truncate(),
      ),
      ...(nginx
        ? [{ name: 'nginx limit_req', port: nginx.port, cpuSeconds: () => nginx.cpuSeconds(), status: '429' }]
        : []),
    ];
    const generator = await LoadGenerator.start();
    const load = { head: STOP_REQUEST, connections: 32, ms: quick ? 1500 : 4000 };
    const [measured, ...baselines] = await compare(generator, subjects, load, quick ? 3 : 7);
    const scripts = [bare, throttler, instrumented].map(({ child }) => child);
    await Promise.all([generator, ...scripts, gateway, cloud].map((each) => each.stop()));
    await nginx?.stop();
    log.remove();
    const targets = [{ atLeast: 0.8 }, { atLeast: 2.5 }];
    const figures = baselines.map(({ name, perSecond }, index): Figure => {
      const target = targets[index];
      return {
        metric: '429 per second',
        measured: { name: 'gateway', values: measured!.perSecond },
        baseline: { name, values: perSecond },
        ...(target && { target }),
      };
    });
    const cpu: Figure = {
      metric: 'processor time for one 429, µs',
      measured: { name: 'gateway', values: measured!.cpuMicros },
      baseline: { name: baselines[0]!.name, values: baselines[0]!.cpuMicros },
    };
    return [...figures, ...(nginx ? [] : [NOT_INSTALLED]), cpu];
  },
};

const NOT_INSTALLED: Figure = {
  metric: '429 per second against nginx limit_req: not installed',
  measured: { name: 'gateway', values: [] },
};
