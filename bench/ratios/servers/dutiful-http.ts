import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino, stdTimeFunctions } from 'pino';
import { Registry } from 'prom-client';
import { KeyRing } from '../../../apps/gateway/src/callers/key-ring.js';
import { bearerKey } from '../../../apps/gateway/src/callers/bearer-key.js';
import { logDestination } from '../../../apps/gateway/src/log-destination.js';
import { HttpRequests } from '../../../apps/gateway/src/metrics/http-requests.js';
import { Stops } from '../../../apps/gateway/src/metrics/stops.js';
import { systemClock } from '../../../apps/gateway/src/system-clock.js';
import { Quota } from '#libs/quota';
import type { AnswerToGive } from '../contest.js';

/*
 * The bare server with nothing added but what each refusal owes: the caller's key looked up, the quota asked, a request
 * id, three metrics, a line in the log. No framework, no check of the request, no connection watched: how fast a
 * refusal could be, and no answer to be relied on.
 */
interface Duties {
  readonly answer: AnswerToGive;
  readonly keySha256: string;
}

const { answer, keySha256 } = JSON.parse(process.env['DUTIES']!) as Duties;
const { status, headers, body } = answer;
const instance = headers['x-request-id']!;
const [before, after] = body.split(instance) as [string, string];
const keys = new KeyRing([{ name: 'caller-0', sdkAppIds: undefined, keySha256 }]);
const registry = new Registry();
const [stops, requests] = [new Stops(registry), new HttpRequests(registry)];
const log = pino({ base: null, timestamp: stdTimeFunctions.isoTime }, logDestination());
const quota = new Quota({ perSecond: 20, clock: systemClock });

const server = createServer((request, response) => {
  const startedAt = performance.now();
  const id = randomUUID();
  const caller = keys.find(bearerKey(request.headers.authorization)!)!.name;
  const refused = quota.rejectIfExhausted(caller);
  const { free, nextFreeInMs } = quota.state();
  response.writeHead(refused ? status : 500, {
    ...headers,
    'x-request-id': id,
    ratelimit: `"stop";r=${free};t=${Math.ceil(nextFreeInMs / 1000)}`,
  });
  response.end(before + id + after);
  const durationMs = performance.now() - startedAt;
  const [, , taskId] = request.url!.split('/');
  const result = 'share-exhausted';
  stops.count(caller, result, undefined);
  requests.observe('DELETE', '/ingest-tasks/:id', status, durationMs / 1000, undefined);
  const line = { event: 'stop', requestId: id, caller, taskId, sdkAppId: 1400000001, region: 'ap-singapore' };
  const numbers = { attempts: 0, waitMs: 0, upstreamMs: 0, durationMs };
  log.info({ ...line, result, outcome: 'not-sent', status, ...numbers }, `stop: ${result}`);
});

// Slots are lent after the hold, and their calls are never answered.
setTimeout(() => {
  for (let n = 0; n < 20; n += 1) void quota.acquire({ caller: 'caller-0' });
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
}, 1600);
