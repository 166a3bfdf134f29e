import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Authentication } from '../apps/gateway/src/callers/authentication.js';
import { Lifecycle } from '../apps/gateway/src/operations/lifecycle.js';
import { PROBLEMS } from '../apps/gateway/src/problems/problem-table.js';
import { Routes } from '../apps/gateway/src/routes.js';
import { type Sandbox, startSandbox } from '../apps/sandbox/src/sandbox.js';
import { ApiDocument } from './support/api-document.js';
import { bearer, caller, newFolder } from './support/callers-file.js';
import { type Answer, send } from './support/client.js';
import { eventually } from './support/eventually.js';
import { FAULTS } from './support/faults-of-the-cloud.js';
import { type Gateway, startGateway } from './support/gateway.js';

const STOP = 'DELETE /ingest-tasks/{id}';
const KEY = 'igw_documented';
const RESTRICTED_KEY = 'igw_documented-and-restricted';
const LONG = { UPSTREAM_ATTEMPT_TIMEOUT_MS: '60000', UPSTREAM_DEADLINE_MS: '120000' };

let sandbox: Sandbox;
let folder: Awaited<ReturnType<typeof newFolder>>;
let gateway: Gateway;
let document: ApiDocument;

const start = (variables: Record<string, string> = {}): Promise<Gateway> =>
  startGateway(sandbox, {
    ALLOW_ANONYMOUS: '',
    CALLERS_FILE: join(folder.path, 'callers.json'),
    TRTC_SDK_APP_ID: '1400000777',
    TRTC_REGION: 'ap-mumbai',
    QUOTA_PER_SECOND: '1000',
    UPSTREAM_ATTEMPT_TIMEOUT_MS: '500',
    UPSTREAM_MAX_ATTEMPTS: '1',
    ...variables,
  });

beforeAll(async () => {
  sandbox = await startSandbox({
    acceptUnknownTasks: true,
    quotaPerSecond: 100_000,
    sdkAppIds: [1400000777],
  });
  folder = await newFolder();
  const callers = [caller('any', KEY), caller('one', RESTRICTED_KEY, [1400000778])];
  await writeFile(join(folder.path, 'callers.json'), JSON.stringify(callers));
  gateway = await start();
  document = await ApiDocument.of(gateway.url);
});

afterAll(async () => {
  await gateway.close();
  await sandbox.close();
  await folder.remove();
});

/** Sends a request, and holds the answer against the document. */
async function answered(
  operation: string,
  { url }: Gateway,
  options: Parameters<typeof send>[2] & { path?: string } = {},
): Promise<Answer> {
  const [method = '', pattern = ''] = operation.split(' ');
  const path = options.path ?? pattern.replaceAll(/\{\w+\}/g, 'x');
  const answer = await send(url, path, { method, ...options });
  expect(document.judge(operation, answer)).toEqual([]);
  return answer;
}

/** Stops a task as the caller with the key. */
const stopped = (taskId: string, from = gateway, query = '', headers = {}): Promise<Answer> =>
  answered(STOP, from, {
    path: `/ingest-tasks/${taskId}${query}`,
    headers: { ...bearer(KEY), ...headers },
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
    const routes = gateway.app.get(Routes).list();
    const described = routes
      .filter((route) => !route.startsWith('HEAD '))
      .map((route) => route.replaceAll(/:(\w+)/g, '{$1}'));
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
    for (const [code, { status }] of Object.entries(PROBLEMS))
      expect(document.documented).toContain(`${STOP} ${status} ${code}`);
  });

  it('tells the defaults of this gateway, and nobody without a key which SdkAppId it serves', async () => {
    const text = JSON.stringify(document.content);
    expect(text).toContain('"default":"ap-mumbai"');
    expect(text).toContain('does not wait');
    expect(text).not.toContain('1400000777');
    const patient = await start({ QUOTA_DEFAULT_WAIT_MS: '2500', TRTC_REGION: 'ap-jakarta' });
    const other = JSON.stringify((await ApiDocument.of(patient.url)).content);
    expect(other).toContain('"default":"ap-jakarta"');
    expect(other).toContain('waits for up to 2.5 s');
    await patient.close();
  });

  it('asks for a key, which is optional where everybody may call', async () => {
    expect(stopOf(document)).toMatchObject({ delete: { security: [{ callerKey: [] }] } });
    const open = await start({ ALLOW_ANONYMOUS: 'true', CALLERS_FILE: '' });
    expect(stopOf(await ApiDocument.of(open.url))).toMatchObject({
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
      await answered(STOP, gateway, { path, headers: bearer(KEY) });
    await answered(STOP, gateway, { headers: bearer(KEY), body: 'x' });
    await answered(STOP, gateway, { headers: bearer(KEY), body: 'x'.repeat(5000) });
    await answered(STOP, gateway, { headers: bearer(RESTRICTED_KEY) });
    await answered(STOP, gateway);
    for (let n = 0; n < 4; n += 1) await answered(STOP, gateway, { headers: bearer('igw_wrong') });
    await answered(STOP, gateway, { path: '/ingest-tasks/a/b', headers: bearer(KEY) });
  });

  it('of other methods, and of requests that are no HTTP', async () => {
    for (const operation of document.operations) {
      await answered(operation, gateway, { method: 'PATCH', headers: bearer(KEY) });
      await answered(operation, gateway, { setHost: false, headers: bearer(KEY) });
    }
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
    const narrow = await start({ ...LONG, QUOTA_PER_SECOND: '2' });
    sandbox.setFaults([{ fault: { kind: 'no-response' }, times: 'always' }]);
    const patient = { ...bearer(KEY), prefer: 'wait=30' };
    for (const taskId of ['held-1', 'held-2'])
      void send(narrow.url, `/ingest-tasks/${taskId}`, { headers: patient }).catch(() => {});
    await eventually(
      () =>
        sandbox.receivedRequests().filter(({ taskId }) => String(taskId).startsWith('held-')).length === 2,
    );
    expect((await stopped('b', narrow)).body).toMatchObject({ code: 'quota-exhausted' });
    await eventually(async () => {
      await answered(STOP, narrow, {
        path: '/ingest-tasks/c?sdkAppId=1400000778',
        headers: bearer(RESTRICTED_KEY),
      });
      return (await stopped('d', narrow)).body!['code'] === 'share-exhausted';
    });
    sandbox.setFaults([]);
    await narrow.close();
  });

  it('of the open routes', async () => {
    for (const operation of document.operations.filter((each) => each !== STOP))
      await answered(operation, gateway);
    for (const name of ['start.js', 'swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'])
      await answered('GET /docs/{file}', gateway, { path: `/docs/${name}` });
    for (const code of Object.keys(PROBLEMS))
      await answered('GET /problems/{code}', gateway, { path: `/problems/${code}` });
    await answered('GET /metrics', gateway, { headers: { accept: 'application/openmetrics-text' } });
    const headers = { accept: 'text/html' };
    await answered('GET /problems', gateway, { headers });
    await answered('GET /problems/{code}', gateway, { path: '/problems/task-not-found', headers });
  });

  it('of a fault of the gateway itself', async () => {
    const broken = await start();
    broken.app.get(Authentication).admit = () => {
      throw new Error('planted');
    };
    for (const operation of document.operations) await answered(operation, broken);
    await broken.close();
  });

  it('of a gateway that is leaving', async () => {
    const drained = gateway.app.get(Lifecycle).drain(3000);
    expect((await answered('GET /readyz', gateway)).status).toBe(503);
    await eventually(async () => (await stopped('late')).body!['code'] === 'shutting-down');
    await drained;
  });

  it('and there is no documented answer that has not been given', () => {
    expect(document.documented.filter((each) => !document.seen.has(each))).toEqual([]);
  });
});
