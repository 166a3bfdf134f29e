import { readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createTempFolder } from '../../support/temp-folder.js';
import { stopTask } from '../../support/client.js';
import { OtlpCollector, type ReceivedSpan } from '../../support/otlp-collector.js';
import { eventually } from '../../support/eventually.js';
import { gatewayEnvironment } from '../../support/environment.js';
import { GatewayProcess } from '../../support/process.js';
import { listen } from '../../support/free-port.js';
import { SlowListener } from '../../../libs/tencent-cloud/test/slow-listener.js';
import { RedisProcess } from '../../support/redis.js';
import { sandboxFixture } from '../../support/fixtures.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

// The tests start several processes in sequence, which is slow on a busy machine.
jest.setTimeout(180_000);

const sandbox = await sandboxFixture({ acceptUnknownTasks: true });
const collector = await OtlpCollector.start();
let gateway: GatewayProcess;

afterAll(() => collector.close());

beforeEach(() => {
  collector.requests.length = 0;
  sandbox.clearReceivedRequests();
});

/** Stops the gateway, so that no later test receives its spans. */
const stop = () => gateway.stop('SIGKILL');

function start(variables: Record<string, string>, runtime: string[] = []): GatewayProcess {
  gateway = new GatewayProcess(
    {
      ...gatewayEnvironment(sandbox),
      TRTC_ENDPOINT: sandbox.httpUrl,
      SHUTDOWN_GRACE_MS: '3000',
      ...variables,
    },
    runtime,
  );
  return gateway;
}

/** Waits for the server span of a call, which arrives together with its children. @returns all spans of its trace */
async function spansOf(taskId: string): Promise<ReceivedSpan[]> {
  const server = (): ReceivedSpan | undefined =>
    collector.spans.find(({ attributes }) => attributes['ingest_gateway.task_id'] === taskId);
  await eventually(() => server() !== undefined);
  const { traceId } = server()!;
  return collector.spans
    .filter((span) => span.traceId === traceId)
    .toSorted((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)));
}

const spansNamed = (spans: ReceivedSpan[], name: string): ReceivedSpan[] =>
  spans.filter((span) => span.name === name);
const logEntries = (): Record<string, unknown>[] =>
  gateway.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('the trace of a stop', () => {
  let url: string;

  beforeAll(async () => {
    url = await start(collector.environment).url();
  });

  afterAll(stop);

  it('has spans for the request, the wait for a slot and the attempt, and continues the trace of the caller', async () => {
    const { body } = await stopTask(url, 'traced', '?region=ap-mumbai', {
      traceparent: `00-${TRACE}-${PARENT}-01`,
      tracestate: 'a=b',
      baggage: 'c=d',
      'x-request-id': 'request-1',
    });
    const spans = await spansOf('traced');
    expect(spans).toHaveLength(3);
    const [server] = spansNamed(spans, 'DELETE /ingest-tasks/:id');
    expect(server).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, kind: 2 });
    expect(server!.attributes).toEqual({
      'http.request.method': 'DELETE',
      'http.route': '/ingest-tasks/:id',
      'http.response.status_code': 200,
      'url.path': '/ingest-tasks/traced',
      'url.scheme': 'http',
      'network.protocol.version': '1.1',
      'ingest_gateway.request_id': 'request-1',
      'ingest_gateway.caller': 'anonymous',
      'ingest_gateway.task_id': 'traced',
      'ingest_gateway.sdk_app_id': 1400000001,
      'ingest_gateway.region': 'ap-mumbai',
      'ingest_gateway.result': 'stopped',
      'ingest_gateway.outcome': 'stopped',
    });
    const [attempt] = spansNamed(spans, 'POST StopStreamIngest');
    expect(attempt).toMatchObject({ traceId: TRACE, parentSpanId: server!.spanId, kind: 3 });
    expect(attempt!.attributes).toEqual({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(sandbox.httpUrl).port),
      'url.full': `${sandbox.httpUrl}/`,
      'tencentcloud.action': 'StopStreamIngest',
      'tencentcloud.region': 'ap-mumbai',
      'tencentcloud.code': 'OK',
      'tencentcloud.request_id': body!['requestId'],
    });
    const [wait] = spansNamed(spans, 'wait for slot');
    expect(wait).toMatchObject({ traceId: TRACE, parentSpanId: server!.spanId, kind: 1 });
    for (const child of [attempt!, wait!]) {
      expect(BigInt(child.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(server!.startTimeUnixNano));
      expect(BigInt(child.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(server!.endTimeUnixNano));
    }
    // The upstream receives nothing of the trace.
    const received = sandbox.receivedRequests();
    expect(JSON.stringify(received)).not.toContain(TRACE);
    const headers = received.flatMap((one) => Object.keys(one.headers));
    expect(headers).toContain('authorization');
    for (const name of headers) expect(name).not.toMatch(/^(traceparent|tracestate|baggage|b3|x-b3-.*)$/);
    expect(collector.requests[0]).toMatchObject({ path: '/v1/traces' });
    expect(collector.resource).toMatchObject({
      'service.name': 'ingest-gateway',
      'service.version': '0.1.0',
    });
  });

  it('has a span for each attempt, with its error', async () => {
    sandbox.setFaults([
      { fault: { kind: 'error', code: 'InternalError' }, times: 1, taskId: 'retried' },
      { fault: { kind: 'error', code: 'InvalidParameter.TaskId' }, times: 1, taskId: 'unknown-task' },
      { fault: { kind: 'status', status: 503 }, times: 'always', taskId: 'broken' },
    ]);
    await stopTask(url, 'retried');
    const retried = spansNamed(await spansOf('retried'), 'POST StopStreamIngest');
    expect(retried).toHaveLength(2);
    expect(retried[0]).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'InternalError' } });
    expect(retried[0]!.attributes).not.toHaveProperty('http.request.resend_count');
    expect(retried[1]!.status.code ?? 0).toBe(0);
    expect(retried[1]!.attributes).toMatchObject({
      'http.request.resend_count': 1,
      'tencentcloud.code': 'OK',
    });
    // One for each attempt.
    expect(spansNamed(await spansOf('retried'), 'wait for slot')).toHaveLength(2);

    await stopTask(url, 'unknown-task');
    const unknownTask = await spansOf('unknown-task');
    const [rejected] = spansNamed(unknownTask, 'DELETE /ingest-tasks/:id');
    expect(rejected!.status.code ?? 0).toBe(0);
    expect(rejected!.attributes).toMatchObject({ 'http.response.status_code': 404 });

    await stopTask(url, 'broken');
    const [broken] = spansNamed(await spansOf('broken'), 'DELETE /ingest-tasks/:id');
    expect(broken).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'upstream-failed' } });
    expect(spansNamed(await spansOf('broken'), 'POST StopStreamIngest')[0]!.attributes).toMatchObject({
      'error.type': 'malformed',
      'http.response.status_code': 503,
    });
  });

  it('is new without a traceparent, and its id is in the log', async () => {
    await stopTask(url, 'rootless');
    const [server] = spansNamed(await spansOf('rootless'), 'DELETE /ingest-tasks/:id');
    expect(server!.parentSpanId ?? '').toBe('');
    expect(logEntries().find(({ taskId }) => taskId === 'rootless')).toMatchObject({
      traceId: server!.traceId,
    });
  });

  it('has the attempts of coalesced requests only once', async () => {
    await stopTask(url, 'first');
    sandbox.setFaults([{ fault: { kind: 'slow', ms: 2500 }, times: 1, taskId: 'shared' }]);
    const calls = [stopTask(url, 'shared')];
    await eventually(() => sandbox.receivedRequests().some(({ taskId }) => taskId === 'shared'));
    calls.push(stopTask(url, 'shared'));
    await Promise.all(calls);
    await eventually(
      () =>
        collector.spans.filter(({ attributes }) => attributes['ingest_gateway.task_id'] === 'shared')
          .length === 2,
    );
    const servers = collector.spans.filter(
      ({ attributes }) => attributes['ingest_gateway.task_id'] === 'shared',
    );
    expect(servers.map(({ attributes }) => attributes['ingest_gateway.coalesced'])).toContain('in_flight');
    const traces = new Set(servers.map(({ traceId }) => traceId));
    expect(traces.size).toBe(2);
    const attempts = spansNamed(collector.spans, 'POST StopStreamIngest').filter(({ traceId }) =>
      traces.has(traceId),
    );
    expect(attempts).toHaveLength(1);
  });

  it('is not exported when the caller has not sampled it', async () => {
    await stopTask(url, 'unsampled', '', { traceparent: `00-${TRACE}-${PARENT}-00` });
    await stopTask(url, 'sampled', '', { traceparent: `00-${'a'.repeat(32)}-${PARENT}-01` });
    await spansOf('sampled');
    expect(collector.spans.map(({ traceId }) => traceId)).not.toContain(TRACE);
    expect(logEntries().find(({ taskId }) => taskId === 'unsampled')).toMatchObject({ traceId: TRACE });
  });
});

describe('the variables of OpenTelemetry', () => {
  afterEach(stop);

  it('set name, attributes, headers, sampler and encoding', async () => {
    const { OTEL_EXPORTER_OTLP_ENDPOINT } = collector.environment;
    const url = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${OTEL_EXPORTER_OTLP_ENDPOINT}/prefix/`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-token=a%20secret,x-tenant = video',
      OTEL_SERVICE_NAME: 'stopper',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    }).url();
    await stopTask(url, 'dropped-by-ratio');
    await stopTask(url, 'kept', '', { traceparent: `00-${TRACE}-${PARENT}-01` });
    await eventually(() => collector.requests.length > 0);
    const [{ path, headers, body }] = collector.requests as [(typeof collector.requests)[0]];
    expect(path).toBe('/prefix/v1/traces');
    expect(headers).toMatchObject({
      'content-type': 'application/x-protobuf',
      'x-token': 'a secret',
      'x-tenant': 'video',
    });
    for (const text of ['stopper', 'deployment.environment.name', 'staging', 'kept'])
      expect(body.includes(text)).toBe(true);
    expect(body.includes(Buffer.from(TRACE, 'hex'))).toBe(true);
    expect(body.includes('dropped-by-ratio')).toBe(false);
  });

  it('have no effect in the libraries when the gateway does not read them', async () => {
    const url = await start({
      ...collector.environment,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9/',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-other=1',
      OTEL_EXPORTER_OTLP_TIMEOUT: '1',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_CERTIFICATE: '/nowhere',
      OTEL_BSP_SCHEDULE_DELAY: '3600000',
      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '1',
    }).url();
    await stopTask(url, 'ignored-variables');
    const [server] = await spansOf('ignored-variables');
    expect(Object.keys(server!.attributes).length).toBeGreaterThan(5);
    expect(collector.requests[0]!.headers).not.toHaveProperty('x-other');
    expect(collector.requests[0]!.headers).not.toHaveProperty('content-encoding');
  });
});

/** Creates a module that prints the URL of every module that the process loads. @returns the option for Node.js */
const createModuleLogger = async (folder: string): Promise<string> => {
  const file = join(folder, 'list-modules.mjs');
  await writeFile(
    file,
    `import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => { process.stderr.write('loaded ' + url + '\\n'); return next(url, context); } });`,
  );
  return `--import=${file}`;
};

/** Returns the package files in the loaded modules. The bundle has a comment with the name before each. */
const loadedPackageFiles = async (): Promise<string[]> => {
  const urls = [...gateway.stderr.matchAll(/^loaded (file:.*)$/gm)].map(([, url]) => new URL(url!));
  const texts = await Promise.all(urls.map((url) => readFile(url, 'utf8')));
  return texts.flatMap((text) => text.match(/^ *\/\/ node_modules\/.*$/gm) ?? []);
};

// prom-client loads the API of OpenTelemetry, which does nothing without the SDK.
const unexpectedFiles = async (): Promise<string[]> =>
  (await loadedPackageFiles()).filter((file) => /\/(@opentelemetry\/(?!api\/)|pino-pretty\/)/.test(file));

describe('a gateway without OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  afterEach(stop);

  it('loads neither the SDK nor the exporter of OpenTelemetry, nor pino-pretty', async () => {
    const folder = await createTempFolder();
    const moduleLogger = await createModuleLogger(folder.path);
    for (const variables of [{}, { OTEL_SDK_DISABLED: 'true', ...collector.environment }]) {
      const url = await start(variables, [moduleLogger]).url();
      await stopTask(url, 'untraced', '', { traceparent: `00-${TRACE}-${PARENT}-01` });
      expect(await loadedPackageFiles()).toContainEqual(expect.stringContaining('node_modules/fastify/'));
      expect(await unexpectedFiles()).toEqual([]);
      gateway.kill('SIGKILL');
      await gateway.finished;
    }
    // With tracing the same check finds the SDK.
    await start(collector.environment, [moduleLogger]).url();
    expect(await unexpectedFiles()).toContainEqual(expect.stringContaining('@opentelemetry/sdk-trace/'));
    await folder.remove();
  });
});

describe('a collector', () => {
  afterEach(stop);

  it('that is unreachable fails no call, is logged once, and does not delay the shutdown', async () => {
    const url = await start({
      ...collector.environment,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    }).url();
    for (const taskId of ['a', 'b', 'c']) expect((await stopTask(url, taskId)).status).toBe(200);
    await eventually(() => gateway.stdout.includes('trace-export-failed'));
    for (const taskId of ['d', 'e']) expect((await stopTask(url, taskId)).status).toBe(200);
    gateway.kill('SIGTERM');
    expect(await gateway.finished).toMatchObject({ code: 0, stderr: '' });
    expect(logEntries().filter(({ event }) => event === 'trace-export-failed')).toEqual([
      expect.objectContaining({ level: 'warn', reason: 'ECONNREFUSED' }),
    ]);
  });

  it('is reached at the first one of its addresses when that one needs more than 250 ms for the handshake', async () => {
    const slow = await SlowListener.start('127.0.0.2', 0, '{}');
    const dead = await SlowListener.start('127.0.0.1', slow.port);
    const addresses = ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 }));
    const resolver = `import dns from 'node:dns';
      const { lookup } = dns;
      dns.lookup = (host, options, done) => {
        if (host !== 'collector.test') return lookup(host, options, done);
        setTimeout(() => process.stderr.write('connecting\\n'), 300);
        done(null, ${JSON.stringify(addresses)});
      };`;
    const url = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://collector.test:${slow.port}` }, [
      '--import',
      `data:text/javascript,${encodeURIComponent(resolver)}`,
    ]).url();
    expect((await stopTask(url, 'slow-collector')).status).toBe(200);
    // It is blocked until Node.js's own timeout has passed: the handshake is still waiting.
    await eventually(() => gateway.stderr.includes('connecting'));
    const requestsBefore = slow.requests;
    slow.unblock();
    await eventually(() => slow.requests > requestsBefore);
    expect(gateway.stdout).not.toContain('trace-export-failed');
    await Promise.all([slow.close(), dead.close()]);
  });

  it('that never responds does not delay the shutdown beyond the grace', async () => {
    const silent = net.createServer(() => {});
    const port = await listen(silent);
    const url = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      SHUTDOWN_GRACE_MS: '1500',
    }).url();
    expect((await stopTask(url, 'a')).status).toBe(200);
    gateway.kill('SIGTERM');
    expect(await gateway.finished).toMatchObject({ code: 0, stderr: '' });
    silent.close();
  });

  it('receives every span before the process exits', async () => {
    const url = await start(collector.environment).url();
    await stopTask(url, 'first');
    gateway.kill('SIGTERM');
    const { status } = await stopTask(url, 'during-shutdown');
    expect(status).toBe(200);
    expect(await gateway.finished).toMatchObject({ code: 0 });
    const tasks = collector.spans.map(({ attributes }) => attributes['ingest_gateway.task_id']);
    expect(tasks).toEqual(expect.arrayContaining(['first', 'during-shutdown']));
  });
});

describe('the trace of an attempt of the backlog', () => {
  let redis: RedisProcess;
  let url: string;

  beforeAll(async () => {
    redis = await RedisProcess.start();
    url = await start({
      ...collector.environment,
      REDIS_URL: redis.url,
      UPSTREAM_MAX_ATTEMPTS: '1',
    }).url();
  });

  afterAll(async () => {
    await stop();
    await redis.close();
  });

  it('has its own root, with the call to the cloud, and a link to the trace in which the stop was submitted', async () => {
    sandbox.setFaults([{ fault: { kind: 'error', code: 'InternalError' }, times: 1, taskId: 'later' }]);
    const headers = { prefer: 'respond-async', traceparent: `00-${TRACE}-${PARENT}-01` };
    let tries = 0;
    await eventually(async () => {
      tries += 1;
      return (await stopTask(url, `warm-${tries}`, '', headers)).status === 202;
    });
    const { body } = await stopTask(url, 'later', '', headers);
    const stopId = body!['id'];
    const executions = (): ReceivedSpan[] =>
      spansNamed(collector.spans, 'execute asynchronous stop').filter(
        ({ attributes }) => attributes['ingest_gateway.stop_id'] === stopId,
      );
    await eventually(() => executions().length === 2);
    const [failed, stopped] = executions();
    for (const execution of [failed!, stopped!]) {
      expect(execution).toMatchObject({ kind: 5, links: [{ traceId: TRACE, spanId: PARENT }] });
      expect(execution.parentSpanId ?? '').toBe('');
      expect(execution.traceId).not.toBe(TRACE);
      const children = collector.spans.filter(({ parentSpanId }) => parentSpanId === execution.spanId);
      expect(children.map(({ name }) => name)).toEqual(['POST StopStreamIngest']);
    }
    expect(failed).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'upstream-failed' } });
    expect(stopped!.status.code ?? 0).toBe(0);
    expect(stopped!.attributes).toEqual({
      'ingest_gateway.stop_id': stopId,
      'ingest_gateway.caller': 'anonymous',
      'ingest_gateway.task_id': 'later',
      'ingest_gateway.sdk_app_id': 1400000001,
      'ingest_gateway.region': 'ap-singapore',
      'ingest_gateway.result': 'stopped',
      'ingest_gateway.outcome': 'stopped',
    });
    const accepting = collector.spans.filter(({ traceId }) => traceId === TRACE);
    expect(accepting.map(({ attributes }) => attributes['ingest_gateway.stop_id'])).toContain(stopId);
  });
});
