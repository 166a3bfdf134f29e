import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { AuthenticationHook } from '../../../apps/gateway/src/auth/authentication.hook.js';
import { Lifecycle } from '../../../apps/gateway/src/lifecycle/lifecycle.js';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { PROBLEM_CODES } from '../../contract/problem-codes.js';
import { ROUTES } from '../../contract/routes.js';
import { ApiDocument } from '../../support/api-document.js';
import { bearerHeader, callerEntry, createTempFolder } from '../../support/callers-file.js';
import { type HttpResponse, send } from '../../support/client.js';
import { sendUnfinished } from '../../support/unfinished.js';
import { eventually } from '../../support/eventually.js';
import { FAULTS } from '../../support/upstream-faults.js';
import { type Gateway, type Replacements, startGateway } from '../../support/gateway.js';

const STOP = 'DELETE /ingest-tasks/{id}';
const KEY = 'igw_documented';
const RESTRICTED_KEY = 'igw_documented-and-restricted';
const LONG = { UPSTREAM_ATTEMPT_TIMEOUT_MS: '60000', UPSTREAM_DEADLINE_MS: '120000' };

let sandbox: Sandbox;
let folder: Awaited<ReturnType<typeof createTempFolder>>;
let gateway: Gateway;
let document: ApiDocument;

const start = (variables: Record<string, string> = {}, replacements: Replacements = {}): Promise<Gateway> =>
  startGateway(
    sandbox,
    {
      ALLOW_ANONYMOUS: '',
      CALLERS_FILE: join(folder.path, 'callers.json'),
      TRTC_SDK_APP_ID: '1400000777',
      TRTC_REGION: 'ap-mumbai',
      QUOTA_PER_SECOND: '1000',
      UPSTREAM_ATTEMPT_TIMEOUT_MS: '500',
      UPSTREAM_MAX_ATTEMPTS: '1',
      ...variables,
    },
    replacements,
  );

beforeAll(async () => {
  sandbox = await startSandbox({
    acceptUnknownTasks: true,
    quotaPerSecond: 100_000,
    sdkAppIds: [1400000777],
  });
  folder = await createTempFolder();
  const callers = [callerEntry('any', KEY), callerEntry('one', RESTRICTED_KEY, [1400000778])];
  await writeFile(join(folder.path, 'callers.json'), JSON.stringify(callers));
  gateway = await start();
  document = await ApiDocument.fetch(gateway.url);
});

afterAll(async () => {
  await gateway.close();
  await sandbox.close();
  await folder.remove();
});

const seenCodes = new Set<unknown>();
const EXTRA_HEADERS = ['allow', 'retry-after', 'www-authenticate'];

/** Compares a problem with the table of codes. */
function expectContractProblem({ status, headers, body }: HttpResponse): void {
  const { code, outcome } = body!;
  const extra = EXTRA_HEADERS.filter((name) => name in headers);
  expect({ code, status, outcome, headers: extra }).toEqual({ code, ...PROBLEM_CODES[String(code)] });
  seenCodes.add(code);
}

/** Sends a request, and compares the response with the document and with the table of codes. */
async function responded(
  operation: string,
  { url }: Gateway,
  options: Parameters<typeof send>[2] & { path?: string } = {},
): Promise<HttpResponse> {
  const [method = '', pattern = ''] = operation.split(' ');
  const path = options.path ?? pattern.replaceAll(/\{\w+\}/g, 'x');
  const answer = await send(url, path, { method, ...options });
  expect(document.validate(operation, answer)).toEqual([]);
  if (answer.headers['content-type'] === 'application/problem+json' && method !== 'HEAD')
    expectContractProblem(answer);
  return answer;
}

/** Stops a task as the caller with the key. */
const stopped = (taskId: string, from = gateway, query = '', headers = {}): Promise<HttpResponse> =>
  responded(STOP, from, {
    path: `/ingest-tasks/${taskId}${query}`,
    headers: { ...bearerHeader(KEY), ...headers },
  });

const stopOf = ({ content }: ApiDocument) => content.paths!['/ingest-tasks/{id}'];

async function lint(content: unknown): Promise<string[]> {
  const problems = await lintFromString({
    source: JSON.stringify(content),
    absoluteRef: 'openapi.json',
    config: await createConfig({ extends: ['recommended-strict'] }),
  });
  return problems.map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

describe('the OpenAPI document', () => {
  it('describes every route, and no other', () => {
    const described = ROUTES.flatMap(({ path, methods }) =>
      methods
        .filter((method) => method !== 'HEAD')
        .map((method) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`),
    );
    expect(document.operations.toSorted()).toEqual(described.toSorted());
  });

  it('has nothing that its linter objects to, its examples included', async () => {
    expect(await lint(document.content)).toEqual([]);
  });

  it('would not get past the linter with an example that is none', async () => {
    const broken = JSON.stringify(document.content).replaceAll(
      '"outcome":"not-stopped"',
      '"outcome":"stopped"',
    );
    expect(await lint(JSON.parse(broken))).not.toEqual([]);
  });

  it('has every problem of the table among the answers to a stop', () => {
    for (const [code, { status }] of Object.entries(PROBLEM_CODES))
      expect(document.documentedResponses).toContain(`${STOP} ${status} ${code}`);
  });

  it('tells the defaults of this gateway, and nobody without a key which SdkAppId it serves', async () => {
    const text = JSON.stringify(document.content);
    expect(text).toContain('"default":"ap-mumbai"');
    expect(text).toContain('does not wait');
    expect(text).not.toContain('1400000777');
    const patient = await start({ QUOTA_DEFAULT_WAIT_MS: '2500', TRTC_REGION: 'ap-jakarta' });
    const other = JSON.stringify((await ApiDocument.fetch(patient.url)).content);
    expect(other).toContain('"default":"ap-jakarta"');
    expect(other).toContain('waits for up to 2.5 s');
    await patient.close();
  });

  it('asks for a key, which is optional where everybody may call', async () => {
    expect(stopOf(document)).toMatchObject({ delete: { security: [{ callerKey: [] }] } });
    const open = await start({ ALLOW_ANONYMOUS: 'true', CALLERS_FILE: '' });
    expect(stopOf(await ApiDocument.fetch(open.url))).toMatchObject({
      delete: { security: [{}, { callerKey: [] }] },
    });
    await open.close();
  });
});

// The cases leave what they have seen to the last one, and the gateway ends with them.
describe('every answer is documented:', () => {
  it('of a stop that succeeds', async () => {
    expect((await stopped('a', gateway, '', { prefer: 'wait=5' })).body!['status']).toBe('stopped');
    expect((await stopped('a')).body!['status']).toBe('already-finished');
  });

  it('of a request that is at fault', async () => {
    const all = `?sdkAppId=0&region=moon&force=1`;
    expect((await stopped('a%0A', gateway, all)).body!['errors']).toHaveLength(4);
    for (const path of ['/ingest-tasks/', '/ingest-tasks/%ZZ'])
      await responded(STOP, gateway, { path, headers: bearerHeader(KEY) });
    await responded(STOP, gateway, { headers: bearerHeader(KEY), body: 'x' });
    await responded(STOP, gateway, { headers: bearerHeader(KEY), body: 'x'.repeat(5000) });
    await responded(STOP, gateway, { headers: bearerHeader(RESTRICTED_KEY) });
    await responded(STOP, gateway);
    for (let n = 0; n < 4; n += 1) await responded(STOP, gateway, { headers: bearerHeader('igw_wrong') });
    await responded(STOP, gateway, { path: '/ingest-tasks/a/b', headers: bearerHeader(KEY) });
  });

  it('of other methods, and of requests that are no HTTP', async () => {
    for (const operation of document.operations) {
      await responded(operation, gateway, { method: 'PATCH', headers: bearerHeader(KEY) });
      await responded(operation, gateway, { setHost: false, headers: bearerHeader(KEY) });
    }
  });

  it('of requests whose headers are too large, or do not arrive in time', async () => {
    for (const operation of document.operations)
      await responded(operation, gateway, { headers: { filler: 'x'.repeat(20_000) } });
    const impatient = await start({}, { limits: { headersTimeoutMs: 100, checkIntervalMs: 50 } });
    for (const operation of document.operations) {
      const [method = '', pattern = ''] = operation.split(' ');
      const response = await sendUnfinished(impatient.url, method, pattern.replaceAll(/\{\w+\}/g, 'x'));
      expect(document.validate(operation, response)).toEqual([]);
      expectContractProblem(response);
    }
    await impatient.close();
  });

  it('of everything that the cloud may do', async () => {
    for (const [index, { fault }] of FAULTS.entries()) {
      sandbox.setFaults([{ fault, times: 1 }]);
      await stopped(`struck-${index}`);
      sandbox.setFaults([]);
      // A definite answer in between, else the circuit would spare the gateway the rest.
      await stopped(`healthy-${index}`);
    }
    sandbox.setFaults([{ fault: { kind: 'error', code: 'InvalidParameter.SdkAppId' }, times: 1 }]);
    await stopped('a', gateway, '?sdkAppId=1400000779');
  });

  it('of a cloud that is out of reach', async () => {
    const lonely = await start({ TRTC_ENDPOINT: 'http://127.0.0.1:9' });
    for (let n = 0; n < 11; n += 1) await stopped(`lonely-${n}`, lonely);
    await lonely.close();
  });

  it('of a quota that is used up, by all or by the caller', async () => {
    const singleSlotGateway = await start({ ...LONG, QUOTA_PER_SECOND: '2' });
    sandbox.setFaults([{ fault: { kind: 'no-response' }, times: 'always' }]);
    const patient = { ...bearerHeader(KEY), prefer: 'wait=30' };
    for (const taskId of ['held-1', 'held-2'])
      void send(singleSlotGateway.url, `/ingest-tasks/${taskId}`, { headers: patient }).catch(() => {});
    await eventually(
      () =>
        sandbox.receivedRequests().filter(({ taskId }) => String(taskId).startsWith('held-')).length === 2,
    );
    expect((await stopped('b', singleSlotGateway)).body).toMatchObject({ code: 'quota-exhausted' });
    await eventually(async () => {
      await responded(STOP, singleSlotGateway, {
        path: '/ingest-tasks/c?sdkAppId=1400000778',
        headers: bearerHeader(RESTRICTED_KEY),
      });
      return (await stopped('d', singleSlotGateway)).body!['code'] === 'share-exhausted';
    });
    sandbox.setFaults([]);
    await singleSlotGateway.close();
  });

  it('of the open routes', async () => {
    for (const operation of document.operations.filter((each) => each !== STOP))
      await responded(operation, gateway);
    for (const name of ['start.js', 'swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'])
      await responded('GET /docs/{file}', gateway, { path: `/docs/${name}` });
    for (const code of Object.keys(PROBLEM_CODES))
      await responded('GET /problems/{code}', gateway, { path: `/problems/${code}` });
    await responded('GET /metrics', gateway, { headers: { accept: 'application/openmetrics-text' } });
    const headers = { accept: 'text/html' };
    await responded('GET /problems', gateway, { headers });
    await responded('GET /problems/{code}', gateway, { path: '/problems/task-not-found', headers });
  });

  it('of a fault of the gateway itself', async () => {
    const broken = await start();
    broken.app.get(AuthenticationHook).authenticate = () => {
      throw new Error('planted');
    };
    for (const operation of document.operations) await responded(operation, broken);
    await broken.close();
  });

  it('of a gateway that is leaving', async () => {
    const drained = gateway.app.get(Lifecycle).drain(3000);
    expect((await responded('GET /readyz', gateway)).status).toBe(503);
    await eventually(async () => (await stopped('late')).body!['code'] === 'shutting-down');
    await drained;
  });

  it('and every code of the table has been given, with its status, outcome and headers', () => {
    expect(seenCodes).toEqual(new Set(Object.keys(PROBLEM_CODES)));
  });

  it('and there is no documented answer that has not been given', () => {
    expect(document.documentedResponses.filter((each) => !document.validated.has(each))).toEqual([]);
  });
});
