import { hash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { pino, stdTimeFunctions } from 'pino';
import { Counter, Histogram, Registry } from 'prom-client';
import { listen } from '../../../test/support/free-port.js';
import type { RecordedResponse } from '../compare.js';
import { scriptOptions } from '../script.js';

/*
 * The bare server with what every 429 needs: the lookup of the caller's key, a request id, the RateLimit header, three
 * metrics, and a log entry. No framework, no validation, no connection limits: how fast a rejection could be.
 */
interface Options {
  readonly response: RecordedResponse;
  readonly keySha256: string;
}

const { response: recorded, keySha256 } = scriptOptions() as Options;
const { status, headers, body } = recorded;
const [before, after] = body.split(headers['x-request-id']!) as [string, string];
const callers = new Map([[keySha256, 'caller-0']]);
const registers = [new Registry()];
const stops = new Counter({ name: 'stops', help: '-', labelNames: ['caller', 'result'], registers });
const decisions = new Counter({ name: 'decisions', help: '-', labelNames: ['decision'], registers });
const durations = new Histogram({
  name: 'durations',
  help: '-',
  labelNames: ['method', 'route', 'status'],
  registers,
});
const log = pino(
  { base: null, timestamp: stdTimeFunctions.isoTime },
  pino.destination({ fd: 1, sync: false, minLength: 4096 }),
);
const result = 'share-exhausted';

const server = createServer((request, response) => {
  const startedAt = performance.now();
  const requestId = randomUUID();
  const caller = callers.get(hash('sha256', request.headers.authorization!.slice('Bearer '.length)))!;
  response.writeHead(status, { ...headers, 'x-request-id': requestId, ratelimit: '"stop";r=0;t=1' });
  response.end(before + requestId + after);
  const durationMs = performance.now() - startedAt;
  stops.inc({ caller, result });
  decisions.inc({ decision: 'rejected-share' });
  durations.observe({ method: 'DELETE', route: '/ingest-tasks/:id', status }, durationMs / 1000);
  const [, , taskId] = request.url!.split('/');
  const task = { taskId, sdkAppId: 1400000001, region: 'ap-singapore' };
  const numbers = { attemptCount: 0, waitMs: 0, upstreamMs: 0, durationMs };
  log.info({
    event: 'stop-completed',
    requestId,
    caller,
    ...task,
    result,
    outcome: 'not-sent',
    status,
    ...numbers,
  });
});
process.send!(await listen(server));
