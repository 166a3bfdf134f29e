import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { createTempFolder } from '../../support/callers-file.js';
import { stopTask } from '../../support/client.js';
import { OtlpCollector, type ReceivedSpan } from '../../support/otlp-collector.js';
import { eventually } from '../../support/eventually.js';
import { variablesFor } from '../../support/gateway.js';
import { GatewayProcess } from '../../support/process.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

// Each test starts processes, several of them one after the other: on a busy machine each takes its time.
jest.setTimeout(180_000);

let sandbox: Sandbox;
let collector: OtlpCollector;
let gateway: GatewayProcess;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
});

afterAll(() => sandbox.close());

beforeEach(async () => {
  collector = await OtlpCollector.start();
  sandbox.clearReceivedRequests();
});

afterEach(async () => {
  gateway.kill('SIGKILL');
  await collector.close();
});

function start(variables: Record<string, string>, runtime: string[] = []): GatewayProcess {
  gateway = new GatewayProcess(
    { ...variablesFor(sandbox), TRTC_ENDPOINT: sandbox.httpUrl, SHUTDOWN_GRACE_MS: '3000', ...variables },
    runtime,
  );
  return gateway;
}

/** The spans of one call, once all are there: the server's comes with its children. */
async function spansOf(taskId: string): Promise<ReceivedSpan[]> {
  const server = (): ReceivedSpan | undefined =>
    collector.spans.find(({ attributes }) => attributes['ingest_gateway.task_id'] === taskId);
  await eventually(() => server() !== undefined);
  const { traceId } = server()!;
  return collector.spans
    .filter((span) => span.traceId === traceId)
    .toSorted((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)));
}

const named = (spans: ReceivedSpan[], name: string): ReceivedSpan[] =>
  spans.filter((span) => span.name === name);
const lines = (): Record<string, unknown>[] =>
  gateway.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('with OTEL_EXPORTER_OTLP_ENDPOINT, a call to stop a task is a trace', () => {
  it('of the request, the wait for a slot and the attempt, continued from the caller', async () => {
    const url = await start(collector.environment).url();
    const { body } = await stopTask(url, 'traced', '?region=ap-mumbai', {
      traceparent: `00-${TRACE}-${PARENT}-01`,
      'x-request-id': 'mine',
    });
    const spans = await spansOf('traced');
    expect(spans).toHaveLength(3);
    const [server] = named(spans, 'DELETE /ingest-tasks/:id');
    expect(server).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, kind: 2 });
    expect(server!.attributes).toEqual({
      'http.request.method': 'DELETE',
      'http.route': '/ingest-tasks/:id',
      'http.response.status_code': 200,
      'url.path': '/ingest-tasks/traced',
      'url.scheme': 'http',
      'network.protocol.version': '1.1',
      'ingest_gateway.request_id': 'mine',
      'ingest_gateway.caller': 'anonymous',
      'ingest_gateway.task_id': 'traced',
      'ingest_gateway.sdk_app_id': 1400000001,
      'ingest_gateway.region': 'ap-mumbai',
      'ingest_gateway.result': 'stopped',
      'ingest_gateway.outcome': 'stopped',
    });
    const [attempt] = named(spans, 'POST StopStreamIngest');
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
    const [wait] = named(spans, 'wait for slot');
    expect(wait).toMatchObject({ traceId: TRACE, parentSpanId: server!.spanId, kind: 1 });
    for (const child of [attempt!, wait!]) {
      expect(BigInt(child.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(server!.startTimeUnixNano));
      expect(BigInt(child.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(server!.endTimeUnixNano));
    }
    expect(collector.requests[0]).toMatchObject({ path: '/v1/traces' });
    expect(collector.resource).toMatchObject({
      'service.name': 'ingest-gateway',
      'service.version': '0.1.0',
    });
  });

  it('with a span for each attempt, and what went wrong with it', async () => {
    const url = await start(collector.environment).url();
    sandbox.setFaults([
      { fault: { kind: 'error', code: 'InternalError' }, times: 1, taskId: 'repeated' },
      { fault: { kind: 'error', code: 'InvalidParameter.TaskId' }, times: 1, taskId: 'nobodys' },
      { fault: { kind: 'status', status: 503 }, times: 'always', taskId: 'broken' },
    ]);
    await stopTask(url, 'repeated');
    const retried = named(await spansOf('repeated'), 'POST StopStreamIngest');
    expect(retried).toHaveLength(2);
    expect(retried[0]).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'InternalError' } });
    expect(retried[0]!.attributes).not.toHaveProperty('http.request.resend_count');
    expect(retried[1]!.status.code ?? 0).toBe(0);
    expect(retried[1]!.attributes).toMatchObject({
      'http.request.resend_count': 1,
      'tencentcloud.code': 'OK',
    });
    // One for the first slot, one for that of the repetition.
    expect(named(await spansOf('repeated'), 'wait for slot')).toHaveLength(2);

    await stopTask(url, 'nobodys');
    const unknownTask = await spansOf('nobodys');
    const [rejected] = named(unknownTask, 'DELETE /ingest-tasks/:id');
    expect(rejected!.status.code ?? 0).toBe(0);
    expect(rejected!.attributes).toMatchObject({ 'http.response.status_code': 404 });

    await stopTask(url, 'broken');
    const [broken] = named(await spansOf('broken'), 'DELETE /ingest-tasks/:id');
    expect(broken).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'upstream-failed' } });
    expect(named(await spansOf('broken'), 'POST StopStreamIngest')[0]!.attributes).toMatchObject({
      'error.type': 'malformed',
      'http.response.status_code': 503,
    });
  });

  it('of its own without a traceparent, and the log tells its id', async () => {
    const url = await start(collector.environment).url();
    await stopTask(url, 'rootless');
    const [server] = named(await spansOf('rootless'), 'DELETE /ingest-tasks/:id');
    expect(server!.parentSpanId ?? '').toBe('');
    expect(lines().find(({ event }) => event === 'stop-completed')).toMatchObject({
      traceId: server!.traceId,
    });
  });

  it('whose attempts are in one trace alone when several share a call', async () => {
    const url = await start(collector.environment).url();
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
    const attempts = named(collector.spans, 'POST StopStreamIngest').filter(({ traceId }) =>
      traces.has(traceId),
    );
    expect(attempts).toHaveLength(1);
  });

  it('unless the caller has decided against it', async () => {
    const url = await start(collector.environment).url();
    await stopTask(url, 'unsampled', '', { traceparent: `00-${TRACE}-${PARENT}-00` });
    await stopTask(url, 'sampled', '', { traceparent: `00-${'a'.repeat(32)}-${PARENT}-01` });
    await spansOf('sampled');
    expect(collector.spans.map(({ traceId }) => traceId)).not.toContain(TRACE);
    expect(lines().find(({ taskId }) => taskId === 'unsampled')).toMatchObject({ traceId: TRACE });
  });

  it('of which the cloud learns nothing', async () => {
    const url = await start(collector.environment).url();
    await stopTask(url, 'quiet', '', {
      traceparent: `00-${TRACE}-${PARENT}-01`,
      tracestate: 'a=b',
      baggage: 'c=d',
    });
    expect(Object.keys(sandbox.receivedRequests()[0]!.headers)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(traceparent|tracestate|baggage|b3|x-b3-.*)$/)]),
    );
    expect(JSON.stringify(sandbox.receivedRequests())).not.toContain(TRACE);
  });
});

describe('the variables of OpenTelemetry', () => {
  it('that are obeyed: name, attributes, headers, sampler and encoding', async () => {
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

  it('that are not: what the gateway does not read, its libraries do not either', async () => {
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
    await stopTask(url, 'all-the-same');
    const [server] = await spansOf('all-the-same');
    expect(Object.keys(server!.attributes).length).toBeGreaterThan(5);
    expect(collector.requests[0]!.headers).not.toHaveProperty('x-other');
    expect(collector.requests[0]!.headers).not.toHaveProperty('content-encoding');
  });

  it('are checked where traces are wanted, by name and never by value', async () => {
    const wrong = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:hunter2@collector:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'hunter2',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_TRACES_SAMPLER: 'hunter2',
      OTEL_TRACES_SAMPLER_ARG: '2',
    };
    const { code, stderr } = await start(wrong).finished;
    expect(code).toBe(78);
    for (const name of Object.keys(wrong)) expect(stderr).toContain(`- ${name} must be `);
    expect(stderr).not.toContain('hunter2');
  });
});

/** Tells, at the end of the process, of every module that was loaded. */
const listingModules = async (folder: string): Promise<string> => {
  const file = join(folder, 'list-modules.mjs');
  await writeFile(
    file,
    `import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => { process.stderr.write('loaded ' + url + '\\n'); return next(url, context); } });`,
  );
  return `--import=${file}`;
};

/** The files of packages in what was loaded: the bundle names each before its code. */
const loadedOfPackages = async (): Promise<string[]> => {
  const urls = [...gateway.stderr.matchAll(/^loaded (file:.*)$/gm)].map(([, url]) => new URL(url!));
  const texts = await Promise.all(urls.map((url) => readFile(url, 'utf8')));
  return texts.flatMap((text) => text.match(/^ *\/\/ node_modules\/.*$/gm) ?? []);
};

// prom-client loads OpenTelemetry's API, which does nothing by itself, for a purpose of its own.
const unwanted = async (): Promise<string[]> =>
  (await loadedOfPackages()).filter((file) => /\/(@opentelemetry\/(?!api\/)|pino-pretty\/)/.test(file));

describe('without it', () => {
  it('no SDK and no exporter of OpenTelemetry is loaded, and without a terminal nothing for one', async () => {
    const folder = await createTempFolder();
    const listing = await listingModules(folder.path);
    for (const variables of [{}, { OTEL_SDK_DISABLED: 'true', ...collector.environment }]) {
      const url = await start(variables, [listing]).url();
      await stopTask(url, 'untraced', '', { traceparent: `00-${TRACE}-${PARENT}-01` });
      expect(await loadedOfPackages()).toContainEqual(expect.stringContaining('node_modules/fastify/'));
      expect(await unwanted()).toEqual([]);
      gateway.kill('SIGKILL');
      await gateway.finished;
    }
    // As they would be seen.
    await start(collector.environment, [listing]).url();
    expect(await unwanted()).toContainEqual(expect.stringContaining('@opentelemetry/sdk-trace/'));
    await folder.remove();
  });
});

describe('a collector', () => {
  it('that cannot be reached fails no call, is told of once, and does not hold up the end', async () => {
    const url = await start({
      ...collector.environment,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    }).url();
    for (const taskId of ['a', 'b', 'c']) expect((await stopTask(url, taskId)).status).toBe(200);
    await eventually(() => gateway.stdout.includes('trace-export-failed'));
    for (const taskId of ['d', 'e']) expect((await stopTask(url, taskId)).status).toBe(200);
    gateway.kill('SIGTERM');
    expect(await gateway.finished).toMatchObject({ code: 0, stderr: '' });
    expect(lines().filter(({ event }) => event === 'trace-export-failed')).toEqual([
      expect.objectContaining({ level: 'warn', reason: 'ECONNREFUSED' }),
    ]);
  });

  it('that never answers does not hold up the end beyond the grace', async () => {
    const silent = net.createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as net.AddressInfo;
    const url = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` }).url();
    expect((await stopTask(url, 'a')).status).toBe(200);
    gateway.kill('SIGTERM');
    expect(await gateway.finished).toMatchObject({ code: 0, stderr: '' });
    silent.close();
  });

  it('has every span before the process ends', async () => {
    const url = await start(collector.environment).url();
    await stopTask(url, 'first');
    gateway.kill('SIGTERM');
    const { status } = await stopTask(url, 'on-the-way-out');
    expect(status).toBe(200);
    expect(await gateway.finished).toMatchObject({ code: 0 });
    const tasks = collector.spans.map(({ attributes }) => attributes['ingest_gateway.task_id']);
    expect(tasks).toEqual(expect.arrayContaining(['first', 'on-the-way-out']));
  });
});
