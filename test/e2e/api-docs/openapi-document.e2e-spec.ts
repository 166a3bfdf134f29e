import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { AuthenticationHook } from '../../../apps/gateway/src/auth/authentication.hook.js';
import { Lifecycle } from '../../../apps/gateway/src/lifecycle/lifecycle.js';
import { PROBLEM_CODES } from '../../contract/problem-codes.js';
import { ROUTES } from '../../contract/routes.js';
import { ApiDocument } from '../../support/api-document.js';
import { bearerHeader, callerEntry } from '../../support/callers-file.js';
import { type HttpResponse, send } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { FAULTS } from '../../support/upstream-faults.js';
import { type Gateway, type Overrides, startGateway } from '../../support/gateway.js';
import { RedisProcess } from '../../support/redis.js';
import { parseRawResponse, sendRaw } from '../../support/raw-http.js';
import { sandboxFixture, tempFolderFixture } from '../../support/fixtures.js';

const STOP = 'DELETE /ingest-tasks/{id}';
const NEEDS_KEY = new Set([STOP, 'GET /stops', 'GET /stops/{id}']);
const KEY = 'igw_documented';
const RESTRICTED_KEY = 'igw_documented-and-restricted';
const LONG_TIMEOUTS = { UPSTREAM_ATTEMPT_TIMEOUT_MS: '60000', UPSTREAM_DEADLINE_MS: '120000' };

const sandbox = await sandboxFixture({
  acceptUnknownTasks: true,
  quotaPerSecond: 100_000,
  sdkAppIds: [1400000777],
});
const folder = await tempFolderFixture();
const callers = [callerEntry('any', KEY), callerEntry('one', RESTRICTED_KEY, [1400000778])];
await writeFile(join(folder, 'callers.json'), JSON.stringify(callers));

const start = (variables: Record<string, string> = {}, overrides: Overrides = {}): Promise<Gateway> =>
  startGateway(
    sandbox,
    {
      ALLOW_ANONYMOUS: '',
      CALLERS_FILE: join(folder, 'callers.json'),
      TRTC_SDK_APP_ID: '1400000777',
      TRTC_REGION: 'ap-mumbai',
      QUOTA_PER_SECOND: '1000',
      UPSTREAM_ATTEMPT_TIMEOUT_MS: '500',
      UPSTREAM_MAX_ATTEMPTS: '1',
      ...variables,
    },
    overrides,
  );

const gateway = await start();
const document = await ApiDocument.fetch(gateway.url);

afterAll(() => gateway.close());

const seenCodes = new Set<unknown>();
const EXTRA_HEADERS = ['allow', 'retry-after', 'www-authenticate'];

/** Compares a problem with the contract. */
function expectContractProblem({ status, headers, body }: HttpResponse): void {
  const { code, outcome } = body!;
  const extra = EXTRA_HEADERS.filter((name) => name in headers);
  expect({ code, status, outcome, headers: extra }).toEqual({ code, ...PROBLEM_CODES[String(code)] });
  seenCodes.add(code);
}

/** Sends a request, and compares the response with the document and with the contract. */
async function expectDocumented(
  operation: string,
  { url }: Gateway,
  options: Parameters<typeof send>[2] & { path?: string } = {},
): Promise<HttpResponse> {
  const [method = '', pattern = ''] = operation.split(' ');
  const path = options.path ?? pattern.replaceAll(/\{\w+\}/g, 'x');
  const response = await send(url, path, { method, ...options });
  expect(document.validate(operation, response)).toEqual([]);
  if (response.headers['content-type'] === 'application/problem+json' && method !== 'HEAD')
    expectContractProblem(response);
  return response;
}

/** Stops a task with the key of the unrestricted caller. */
const expectDocumentedStop = (
  taskId: string,
  from = gateway,
  query = '',
  headers = {},
): Promise<HttpResponse> =>
  expectDocumented(STOP, from, {
    path: `/ingest-tasks/${taskId}${query}`,
    headers: { ...bearerHeader(KEY), ...headers },
  });

const stopPathOf = ({ content }: ApiDocument) => content.paths!['/ingest-tasks/{id}'];

async function lint(content: unknown): Promise<string[]> {
  const problems = await lintFromString({
    source: JSON.stringify(content),
    absoluteRef: 'openapi.json',
    config: await createConfig({ extends: ['recommended-strict'] }),
  });
  return problems.map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

describe('the OpenAPI document', () => {
  it('describes exactly the routes of the contract', () => {
    const described = ROUTES.flatMap(({ path, methods }) =>
      methods
        .filter((method) => method !== 'HEAD')
        .map((method) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`),
    );
    expect(document.operations.toSorted()).toEqual(described.toSorted());
  });

  it('passes the linter, including its examples', async () => {
    expect(await lint(document.content)).toEqual([]);
  });

  it('fails the linter with an invalid example', async () => {
    const broken = JSON.stringify(document.content).replaceAll(
      '"outcome":"not-stopped"',
      '"outcome":"stopped"',
    );
    expect(await lint(JSON.parse(broken))).not.toEqual([]);
  });

  it('documents every problem code of the contract as a response', () => {
    for (const [code, { status }] of Object.entries(PROBLEM_CODES)) {
      const operation = code === 'stop-not-found' || code === 'stops-unavailable' ? 'GET /stops/{id}' : STOP;
      expect(document.documentedResponses).toContain(`${operation} ${status} ${code}`);
    }
  });

  it('contains the defaults of this gateway, but not its SdkAppId', async () => {
    const text = JSON.stringify(document.content);
    expect(text).toContain('"default":"ap-mumbai"');
    expect(text).toContain('does not wait');
    expect(text).not.toContain('1400000777');
    const waitingGateway = await start({ QUOTA_DEFAULT_WAIT_MS: '2500', TRTC_REGION: 'ap-jakarta' });
    const other = JSON.stringify((await ApiDocument.fetch(waitingGateway.url)).content);
    expect(other).toContain('"default":"ap-jakarta"');
    expect(other).toContain('waits for up to 2.5 s');
    await waitingGateway.close();
  });

  it('requires a key, unless the gateway accepts anonymous callers', async () => {
    expect(stopPathOf(document)).toMatchObject({ delete: { security: [{ callerKey: [] }] } });
    const anonymousGateway = await start({ ALLOW_ANONYMOUS: 'true', CALLERS_FILE: '' });
    expect(stopPathOf(await ApiDocument.fetch(anonymousGateway.url))).toMatchObject({
      delete: { security: [{}, { callerKey: [] }] },
    });
    await anonymousGateway.close();
  });
});

// The last two tests check what all tests before them have seen. The test before those drains the gateway.
describe('every response is documented and follows the contract', () => {
  it('when a stop succeeds', async () => {
    expect((await expectDocumentedStop('a', gateway, '', { prefer: 'wait=5' })).body!['status']).toBe(
      'stopped',
    );
    expect((await expectDocumentedStop('a')).body!['status']).toBe('already-finished');
  });

  it('when the request is invalid', async () => {
    const all = `?sdkAppId=0&region=moon&force=1`;
    expect((await expectDocumentedStop('a%0A', gateway, all)).body!['errors']).toHaveLength(4);
    for (const path of ['/ingest-tasks/', '/ingest-tasks/%ZZ'])
      await expectDocumented(STOP, gateway, { path, headers: bearerHeader(KEY) });
    await expectDocumented(STOP, gateway, { headers: bearerHeader(KEY), body: 'x' });
    await expectDocumented(STOP, gateway, { headers: bearerHeader(KEY), body: 'x'.repeat(5000) });
    await expectDocumented(STOP, gateway, { headers: bearerHeader(RESTRICTED_KEY) });
    await expectDocumented(STOP, gateway);
    for (let n = 0; n < 4; n += 1)
      await expectDocumented(STOP, gateway, { headers: bearerHeader('igw_wrong') });
    await expectDocumented(STOP, gateway, { path: '/ingest-tasks/a/b', headers: bearerHeader(KEY) });
  });

  it('when the method is wrong or the Host header is missing', async () => {
    for (const operation of document.operations) {
      await expectDocumented(operation, gateway, { method: 'PATCH', headers: bearerHeader(KEY) });
      await expectDocumented(operation, gateway, { setHost: false, headers: bearerHeader(KEY) });
    }
  });

  it('when headers are too large or do not arrive in time', async () => {
    for (const operation of document.operations)
      await expectDocumented(operation, gateway, { headers: { filler: 'x'.repeat(20_000) } });
    const shortTimeoutGateway = await start({}, { limits: { headersTimeoutMs: 100, checkIntervalMs: 50 } });
    for (const operation of document.operations) {
      const [method = '', pattern = ''] = operation.split(' ');
      const path = pattern.replaceAll(/\{\w+\}/g, 'x');
      const response = await sendRaw(
        shortTimeoutGateway.url,
        `${method} ${path} HTTP/1.1\r\nHost: x\r\nUnfinished: `,
      );
      expect(document.validate(operation, parseRawResponse(response))).toEqual([]);
      expectContractProblem(parseRawResponse(response));
    }
    await shortTimeoutGateway.close();
  });

  it('when the upstream has any fault', async () => {
    for (const [index, { fault }] of FAULTS.entries()) {
      sandbox.setFaults([{ fault, times: 1 }]);
      await expectDocumentedStop(`fault-${index}`);
      sandbox.setFaults([]);
      // A success in between keeps the circuit closed.
      await expectDocumentedStop(`healthy-${index}`);
    }
    sandbox.setFaults([{ fault: { kind: 'error', code: 'InvalidParameter.SdkAppId' }, times: 1 }]);
    await expectDocumentedStop('a', gateway, '?sdkAppId=1400000779');
  });

  it('when the upstream is unreachable', async () => {
    const unreachableGateway = await start({ TRTC_ENDPOINT: 'http://127.0.0.1:9' });
    for (let n = 0; n < 11; n += 1) await expectDocumentedStop(`unreachable-${n}`, unreachableGateway);
    await unreachableGateway.close();
  });

  it('when Redis was never reached', async () => {
    const cutOffGateway = await start({ REDIS_URL: 'redis://127.0.0.1:9' });
    // The first calls wait until slots are granted after start.
    await eventually(
      async () =>
        (await expectDocumentedStop('a', cutOffGateway)).body!['code'] === 'quota-unavailable' &&
        (await expectDocumented('GET /readyz', cutOffGateway)).status === 503,
    );
    await cutOffGateway.close();
  });

  it('when a stop is asynchronous', async () => {
    const redis = await RedisProcess.start();
    const asyncGateway = await start({ REDIS_URL: redis.url, ASYNC_STOPS_LIMIT: '1' });
    sandbox.setFaults([{ fault: { kind: 'error', code: 'InternalError' }, times: 'always' }]);
    const submit = (taskId: string) =>
      expectDocumentedStop(taskId, asyncGateway, '', { prefer: 'respond-async' });
    const headers = bearerHeader(KEY);
    let location = '';
    await eventually(async () => {
      const response = await submit('async');
      location = response.headers.location ?? '';
      return response.status === 202;
    });
    expect((await submit('one-too-many')).body!['code']).toBe('backlog-full');
    await expectDocumented('GET /stops/{id}', asyncGateway, { path: location, headers });
    await expectDocumented('GET /stops/{id}', asyncGateway, { headers });
    await expectDocumented('GET /stops', asyncGateway, { headers });
    await expectDocumented('GET /stops', asyncGateway, { path: '/stops?limit=0', headers });
    for (const operation of ['GET /stops', 'GET /stops/{id}'])
      await expectDocumented(operation, asyncGateway);
    sandbox.setFaults([{ fault: { kind: 'error', code: 'FailedOperation.TaskNotExist' }, times: 'always' }]);
    await eventually(async () => {
      const stop = await expectDocumented('GET /stops/{id}', asyncGateway, { path: location, headers });
      return stop.body!['status'] === 'failed';
    });
    sandbox.setFaults([]);
    await redis.close();
    await eventually(async () => {
      const path = location;
      const stop = await expectDocumented('GET /stops/{id}', asyncGateway, { path, headers });
      return stop.body!['code'] === 'stops-unavailable';
    });
    await expectDocumented('GET /stops', asyncGateway, { headers });
    await asyncGateway.close();
  });

  it('when the quota is exhausted, or the caller is over its share', async () => {
    const twoSlotGateway = await start({ ...LONG_TIMEOUTS, QUOTA_PER_SECOND: '2' });
    sandbox.setFaults([{ fault: { kind: 'no-response' }, times: 'always' }]);
    const headers = { ...bearerHeader(KEY), prefer: 'wait=30' };
    for (const taskId of ['held-1', 'held-2'])
      void send(twoSlotGateway.url, `/ingest-tasks/${taskId}`, { headers }).catch(() => {});
    await eventually(
      () =>
        sandbox.receivedRequests().filter(({ taskId }) => String(taskId).startsWith('held-')).length === 2,
    );
    expect((await expectDocumentedStop('b', twoSlotGateway)).body).toMatchObject({ code: 'quota-exhausted' });
    await eventually(async () => {
      await expectDocumented(STOP, twoSlotGateway, {
        path: '/ingest-tasks/c?sdkAppId=1400000778',
        headers: bearerHeader(RESTRICTED_KEY),
      });
      return (await expectDocumentedStop('d', twoSlotGateway)).body!['code'] === 'share-exhausted';
    });
    sandbox.setFaults([]);
    await twoSlotGateway.close();
  });

  it('on the routes without authentication', async () => {
    for (const operation of document.operations.filter((each) => !NEEDS_KEY.has(each)))
      await expectDocumented(operation, gateway);
    for (const name of ['start.js', 'swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'])
      await expectDocumented('GET /docs/{file}', gateway, { path: `/docs/${name}` });
    for (const code of Object.keys(PROBLEM_CODES))
      await expectDocumented('GET /problems/{code}', gateway, { path: `/problems/${code}` });
    await expectDocumented('GET /metrics', gateway, { headers: { accept: 'application/openmetrics-text' } });
    const headers = { accept: 'text/html' };
    await expectDocumented('GET /problems', gateway, { headers });
    await expectDocumented('GET /problems/{code}', gateway, { path: '/problems/task-not-found', headers });
  });

  it('when the gateway has an internal error', async () => {
    const broken = await start();
    broken.app.get(AuthenticationHook).authenticate = () => {
      throw new Error('planted');
    };
    for (const operation of document.operations) await expectDocumented(operation, broken);
    await broken.close();
  });

  it('while the gateway is draining', async () => {
    const drained = gateway.app.get(Lifecycle).drain(3000);
    expect((await expectDocumented('GET /readyz', gateway)).status).toBe(503);
    await eventually(async () => (await expectDocumentedStop('late')).body!['code'] === 'shutting-down');
    await drained;
  });

  it('with every problem code of the contract at least once', () => {
    expect(seenCodes).toEqual(new Set(Object.keys(PROBLEM_CODES)));
  });

  it('with every documented response at least once', () => {
    expect(document.documentedResponses.filter((each) => !document.validated.has(each))).toEqual([]);
  });
});
