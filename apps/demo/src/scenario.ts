import { AssertionError } from 'node:assert';
import { once } from 'node:events';
import { isDeepStrictEqual, styleText } from 'node:util';
import { type Environment, SDK_APP_ID, waitUntil } from './environment.js';
import { type Exchange, formatExchange, send } from './exchange.js';

type Fields = Readonly<Record<string, unknown>>;
type Series = { readonly line: string; readonly name: string; readonly value: number };

const METRICS = {
  stops: 'ingest_gateway_stop_requests_total',
  decisions: 'ingest_gateway_quota_decisions_total',
  slots: 'ingest_gateway_quota_slots',
  slotsInUse: 'ingest_gateway_quota_slots_in_use',
  coalesced: 'ingest_gateway_stop_requests_coalesced_total',
  upstreamCalls: 'tencentcloud_request_duration_seconds_count',
};
const EXPECTED_STOPS = {
  stopped: 21,
  'already-finished': 1,
  'task-not-found': 1,
  'invalid-request': 1,
  'quota-exhausted': 10,
  unauthenticated: 1,
};
const COUNTED_STOPS = 35;
const ASYNC_STOPS = Array.from({ length: 40 }, (_, index) => `async-${index + 1}`);
const BURST = Array.from({ length: 30 }, (_, index) => `burst-${index + 1}`);
// Long enough that no slot frees before the last call of the burst arrives, even on a busy machine.
const BURST_ROUND_TRIP_MS = 1500;

const RUNNING = { sdkAppId: SDK_APP_ID, status: 'running' };
const TASK = { taskId: 'demo-1', sdkAppId: SDK_APP_ID, region: 'ap-singapore' };
const REJECTION = { status: '429 Too Many Requests', code: 'quota-exhausted', outcome: 'not-sent' };
const SINGLE_CALLS = [
  {
    title: '1. Call without a key',
    expected: { status: '401 Unauthorized', code: 'unauthenticated', outcome: 'not-sent' },
    note: 'Each caller has its own API key. The next calls send one in the Authorization header.',
  },
  {
    title: '2. Stop a task',
    expected: { status: '200 OK', task: { ...TASK, status: 'stopped' } },
    note: 'The caller needs no Tencent Cloud credentials. requestId is the RequestId of the cloud.\nThe call uses one of 20 slots; RateLimit says how many are left.',
  },
  {
    title: '3. Stop it again',
    expected: { status: '200 OK', task: { ...TASK, status: 'already-finished' } },
    note: 'The task has ended, so a repeated DELETE succeeds. It does not call the cloud and uses no slot.',
  },
  {
    title: '4. Stop an unknown task',
    target: 'no-such-task',
    expected: { status: '404 Not Found', code: 'task-not-found', outcome: 'not-stopped' },
    note: 'The gateway passes on the code and the RequestId of the cloud, but not its message.',
  },
  {
    title: '5. Use an unknown region',
    target: 'demo-1?region=eu-atlantis',
    expected: { status: '400 Bad Request', code: 'invalid-request', outcome: 'not-sent' },
    note: 'The outcome not-sent means that the gateway did not call the cloud. The call uses no slot.',
  },
];

/** Runs the main job from start to end. @throws AssertionError when a response is not the expected one */
export async function runScenario(environment: Environment): Promise<void> {
  printTitle('The gateway, and the sandbox in place of Tencent Cloud');
  print(
    `gateway  ${environment.gatewayUrl}   holds the credentials, signs, sends at most 20 calls per second`,
    `sandbox  ${environment.cloudUrl}  verifies each signature, rejects the 21st call in any second`,
    '',
    'The gateway grants no slot for 1.5 s after start.',
  );
  await waitForFreeSlots(environment);
  await control(environment, '/tasks/demo-1', RUNNING);
  for (const { title, target = 'demo-1', expected, note } of SINGLE_CALLS) {
    printTitle(title);
    const response = await stop(environment, target, expected.status !== '401 Unauthorized');
    print(...formatExchange(response));
    expectResponse(response, expected);
    print(...note.split('\n'));
  }
  await stopBurst(environment);
  await showReceivedRequests(environment);
  await showMetrics(environment);
  await stopAsynchronously(environment);
  print(styleText('green', '✓ Every response was the expected one.'));
}

/** Keeps both processes running until `signal` aborts. @throws its reason */
export async function keepRunning(environment: Environment): Promise<void> {
  const { gatewayUrl, controlUrl, key, signal } = environment;
  await control(environment, '/tasks/yours-1', RUNNING);
  const put = `curl -X PUT -H 'content-type: application/json' ${controlUrl}`;
  printTitle('All processes run until you press Ctrl-C');
  print(
    '# Stop a running task:',
    `curl -i -X DELETE -H 'Authorization: Bearer ${key}' ${gatewayUrl}/ingest-tasks/yours-1`,
    '# Start another task:',
    `${put}/tasks/yours-2 -d '{"sdkAppId":${SDK_APP_ID},"status":"running"}'`,
    '# Let the next call to the cloud fail, then stop a task:',
    `${put}/faults -d '[{"fault":{"kind":"error","code":"InternalError"},"times":1}]'`,
    '# See what the sandbox received, and what the gateway counted:',
    `curl ${controlUrl}/state ${gatewayUrl}/metrics`,
  );
  if (!signal.aborted) await once(signal, 'abort');
  signal.throwIfAborted();
}

async function stopBurst(environment: Environment): Promise<void> {
  printTitle('6. Stop 30 tasks at once');
  print(
    'A slot frees one second after the response. The demo waits until all 20 are free',
    `and sets the round trip to the cloud to ${BURST_ROUND_TRIP_MS} ms.`,
  );
  const setDelay = (minMs: number, maxMs = minMs) =>
    control(environment, '/delays', { request: { minMs, maxMs }, response: { minMs, maxMs } });
  for (const taskId of BURST) await control(environment, `/tasks/${taskId}`, RUNNING);
  await setDelay(BURST_ROUND_TRIP_MS / 2);
  await waitForFreeSlots(environment);
  const responses = await Promise.all(BURST.map((taskId) => stop(environment, taskId)));
  await setDelay(0);

  const groups = [...Map.groupBy(responses, ({ status }) => status)];
  const lines = groups.map(([status, group]) => {
    const slowestMs = Math.max(...group.map(({ durationMs }) => durationMs));
    return `← ${group.length} × ${status}, the slowest after ${slowestMs} ms`;
  });
  print(`→ DELETE /ingest-tasks/${BURST[0]} … ${BURST.at(-1)}`, ...lines);
  const counts = Object.fromEntries(groups.map(([status, group]) => [status, group.length]));
  expectFields('burst', { counts }, { counts: { '200 OK': 20, '429 Too Many Requests': 10 } });
  const rejections = responses.filter(({ status }) => status !== '200 OK');
  for (const rejection of rejections) expectResponse(rejection, REJECTION);
  print('One of the ten rejections:', '', ...formatExchange(rejections[0]!));
  print('The gateway rejects at once what the cloud would reject. Retry-After says when to retry.');
}

async function stopAsynchronously(environment: Environment): Promise<void> {
  const { gatewayUrl, hasRedis, key, signal } = environment;
  printTitle(`9. Stop ${ASYNC_STOPS.length} tasks without a wait and without 429`);
  if (!hasRedis) {
    print('Left out: asynchronous stops need Redis, and redis-server is not on PATH.');
    return print('On Debian and Ubuntu: apt-get install redis-server. On macOS: brew install redis.');
  }
  print('With Prefer: respond-async, the gateway stores each stop in Redis and responds at once.');
  for (const taskId of ASYNC_STOPS) await control(environment, `/tasks/${taskId}`, RUNNING);
  const submit = (taskId: string) =>
    send(signal, 'DELETE', `${gatewayUrl}/ingest-tasks/${taskId}`, key, undefined, 'respond-async');
  const accepted = await Promise.all(ASYNC_STOPS.map(submit));
  const [first] = accepted;
  print(...formatExchange(first!));
  for (const { request, status } of accepted) expectFields(request, { status }, { status: '202 Accepted' });
  print('The other responses are the same. The gateway stops the tasks at the rate of the quota.');

  const read = (path: string) => send(signal, 'GET', gatewayUrl + path, key);
  await waitUntil(signal, 'all asynchronous stops have finished', async () => {
    const { stops } = JSON.parse((await read('/stops?status=pending')).body) as { stops: unknown[] };
    return stops.length === 0;
  });
  const finished = await read(first!.headers.get('location')!);
  print(...formatExchange(finished));
  const task = { taskId: ASYNC_STOPS[0], sdkAppId: SDK_APP_ID, region: TASK.region };
  expectFields(finished.request, JSON.parse(finished.body) as Fields, { ...task, status: 'stopped' });
  const { stops } = JSON.parse((await read('/stops?status=stopped')).body) as { stops: unknown[] };
  expectFields('the list of stops', { count: stops.length }, { count: ASYNC_STOPS.length });
  print('They survive restarts and crashes of the gateway, and outages of the cloud.');
}

async function showReceivedRequests({ controlUrl, signal }: Environment): Promise<void> {
  const get = async (path: string) =>
    JSON.parse((await send(signal, 'GET', controlUrl + path)).body) as object;
  const { statistics } = (await get('/state')) as { statistics: Fields };
  printTitle('7. What the sandbox received');
  print(...Object.entries(statistics).map(([name, value]) => `${name}: ${JSON.stringify(value)}`));
  const isWithinQuota = Number(statistics['peakPerSecond']) <= 20;
  // 1 stopped, 1 unknown, 20 of the burst.
  const signatures = { verified: 22, rejected: 0 };
  const responses = { OK: 21, 'InvalidParameter.TaskId': 1 };
  const expected = { stopCalls: 22, signatures, responses, isWithinQuota: true };
  expectFields('the sandbox', { ...statistics, isWithinQuota }, expected);
  print('The gateway handled all other calls without the cloud. The first call, without its signature:');
  const [first] = (await get('/received-requests')) as { headers: object; rawBody: string }[];
  const headers = Object.entries(first!.headers).filter(([name]) => name !== 'authorization');
  print('POST /', ...headers.map(([name, value]) => `${name}: ${value}`), '', first!.rawBody);
}

async function showMetrics(environment: Environment): Promise<void> {
  let series: Series[] = [];
  let counts: Fields = {};
  // The gateway counts a call after it has sent the response.
  await waitUntil(environment.signal, 'the gateway has counted the last call', async () => {
    series = await readSeries(environment, ...Object.values(METRICS));
    const stops = series.filter(({ name }) => name === METRICS.stops);
    counts = Object.fromEntries(stops.map(({ line, value }) => [/result="(.*?)"/.exec(line)![1], value]));
    return stops.reduce((sum, { value }) => sum + value, 0) >= COUNTED_STOPS;
  });
  printTitle('8. The metrics that matter');
  print('→ GET /metrics', ...series.map(({ line }) => line));
  print('Series with the value 0 exist from the start; they are left out here.');
  expectFields(METRICS.stops, counts, EXPECTED_STOPS);
}

function stop(environment: Environment, target: string, withKey = true): Promise<Exchange> {
  const { gatewayUrl, signal, key } = environment;
  return send(signal, 'DELETE', `${gatewayUrl}/ingest-tasks/${target}`, withKey ? key : undefined);
}

async function control({ controlUrl, signal }: Environment, path: string, json: Fields): Promise<void> {
  const { request, status } = await send(signal, 'PUT', controlUrl + path, undefined, json);
  expectFields(`${request} at the sandbox`, { status }, { status: '204 No Content' });
}

function waitForFreeSlots(environment: Environment): Promise<void> {
  return waitUntil(environment.signal, 'all slots are free', async () => {
    const series = await readSeries(environment, METRICS.slots, METRICS.slotsInUse);
    return series.map(({ name }) => name).join() === METRICS.slots;
  });
}

/** Returns the series of these metrics whose value is not 0. */
async function readSeries({ gatewayUrl, signal }: Environment, ...names: string[]): Promise<Series[]> {
  const { body } = await send(signal, 'GET', `${gatewayUrl}/metrics`);
  const lines = body.split('\n').filter((line) => /^\w/.test(line));
  return lines
    .map((line) => ({ line, name: /^\w+/.exec(line)![0], value: Number(line.split(' ').at(-1)) }))
    .filter(({ name, value }) => names.includes(name) && value !== 0);
}

/** Checks the status, then the whole body of a success or the given fields of a problem. */
function expectResponse(exchange: Exchange, { status, ...expected }: Fields): void {
  const { request, headers, body } = exchange;
  expectFields(request, { status: exchange.status }, { status });
  const { requestId, ...json } = JSON.parse(body) as Fields;
  if (status === '200 OK') {
    expectFields(request, { task: json }, expected);
    return expectFields(request, { hasRequestId: Boolean(requestId) }, { hasRequestId: true });
  }
  const hasRetryAfter = /^[1-9]\d*$/.test(headers.get('retry-after') ?? '');
  const challenge = headers.get('www-authenticate');
  const actual = { ...json, contentType: headers.get('content-type'), hasRetryAfter, challenge };
  expectFields(request, actual, { contentType: 'application/problem+json', ...expected });
  if (status === REJECTION.status) expectFields(request, actual, { hasRetryAfter: true });
  if (status === '401 Unauthorized') expectFields(request, actual, { challenge: 'Bearer' });
}

/** @throws AssertionError that names the first field with another value than the expected one */
function expectFields(what: string, actual: Fields, expected: Fields): void {
  for (const [name, value] of Object.entries(expected)) {
    const message = `${what}: expected ${name} ${JSON.stringify(value)}, got ${JSON.stringify(actual[name])}`;
    if (!isDeepStrictEqual(actual[name], value)) throw new AssertionError({ message });
  }
}

function printTitle(text: string): void {
  process.stdout.write(`${styleText(['bold', 'cyan'], text)}\n\n`);
}

function print(...lines: string[]): void {
  process.stdout.write([...lines.map((line) => `   ${line}`.trimEnd()), '', ''].join('\n'));
}
