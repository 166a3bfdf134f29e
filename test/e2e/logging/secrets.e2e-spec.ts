import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Fault } from '../../../apps/sandbox/src/faults.js';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { bearerHeader, callerEntry, createTempFolder } from '../../support/callers-file.js';
import { type HttpResponse, send } from '../../support/client.js';
import { OtlpCollector } from '../../support/otlp-collector.js';
import { eventually } from '../../support/eventually.js';
import { FAULTS } from '../../support/upstream-faults.js';
import { variablesFor } from '../../support/gateway.js';
import { type PlantedSecrets, findSecrets } from '../../support/secret-scanner.js';
import { GatewayProcess } from '../../support/process.js';
import { sendRaw } from '../../support/send-raw.js';

const CALLER_KEY = 'igw_marked+caller/key~1==';
const SECRETS = {
  secretId: 'AKIDmarked+secret~id',
  secretKey: 'marked+secret/key?1',
  token: 'marked+session/token?2==',
};
const PLANTED_SECRETS: PlantedSecrets = {
  ...SECRETS,
  'caller key': CALLER_KEY,
  'caller key, without its end': CALLER_KEY.slice(0, -3),
  'digest of the caller key': String(callerEntry('x', CALLER_KEY)['keySha256']),
  'wrong key': 'igw_marked-wrong-key',
  'token of the collector': 'marked+collector/token?3',
  signature: 'Signature=',
  'signed header': 'TC3-HMAC-SHA256',
};

/** What everybody may read. */
const OPEN_PATHS = [
  '/metrics',
  '/livez',
  '/readyz',
  '/docs',
  '/docs/start.js',
  `/docs/${encodeURIComponent(CALLER_KEY)}`,
  '/openapi.json',
  '/problems',
  '/problems/unauthenticated',
  `/problems/${encodeURIComponent(CALLER_KEY)}`,
];

/** Everything at once, as an upstream might send back that shows what it was sent. */
const ECHO = Object.values(PLANTED_SECRETS).join(' ');
const ECHOES: Fault[] = [
  { kind: 'error', code: 'InvalidParameter.TaskId', message: ECHO },
  { kind: 'error', code: 'InternalError', message: ECHO },
  { kind: 'error', code: ECHO },
  { kind: 'status', status: 500, body: ECHO, headers: { 'x-echo': ECHO } },
  {
    kind: 'status',
    status: 302,
    body: ECHO,
    headers: { location: `http://127.0.0.1:9/?${SECRETS.secretKey}` },
  },
  { kind: 'body', body: ECHO },
  { kind: 'body', body: JSON.stringify({ Response: { RequestId: ECHO } }) },
  {
    kind: 'body',
    body: JSON.stringify({ Response: { RequestId: 'x', Echo: ECHO } }),
    headers: { 'x-echo': ECHO },
  },
];

let sandbox: Sandbox;
let collector: OtlpCollector;
let folder: Awaited<ReturnType<typeof createTempFolder>>;
let variables: Record<string, string>;

beforeAll(async () => {
  const { secretId, secretKey, token } = SECRETS;
  sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 100_000, credentials: [SECRETS] });
  folder = await createTempFolder();
  collector = await OtlpCollector.start();
  const callersFile = join(folder.path, 'callers.json');
  await writeFile(callersFile, JSON.stringify([callerEntry('marked', CALLER_KEY)]));
  variables = {
    ...variablesFor(sandbox),
    TENCENTCLOUD_SECRET_ID: secretId,
    TENCENTCLOUD_SECRET_KEY: secretKey,
    TENCENTCLOUD_SESSION_TOKEN: token,
    TRTC_ENDPOINT: sandbox.httpUrl,
    ALLOW_ANONYMOUS: '',
    CALLERS_FILE: callersFile,
    QUOTA_PER_SECOND: '1000',
    LOG_LEVEL: 'trace',
    ...collector.environment,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(`Bearer ${PLANTED_SECRETS['token of the collector']!}`)}`,
    UPSTREAM_ATTEMPT_TIMEOUT_MS: '300',
    UPSTREAM_MAX_ATTEMPTS: '1',
    SHUTDOWN_GRACE_MS: '1000',
  };
});

afterAll(async () => {
  await sandbox.close();
  await collector.close();
  await folder.remove();
});

/** Starts a gateway, lets happen what may, ends it, and hands over every byte that left it. */
async function bytesOf(
  changes: Record<string, string>,
  exercise: (url: string, gateway: GatewayProcess) => Promise<(HttpResponse | string)[]>,
): Promise<string> {
  const gateway = new GatewayProcess({ ...variables, ...changes });
  collector.requests.length = 0;
  try {
    const url = await gateway.url();
    const responses = await exercise(url, gateway);
    for (const path of OPEN_PATHS)
      responses.push(
        await send(url, path, { method: 'GET', headers: bearerHeader(CALLER_KEY) }).catch(() => ''),
      );
    gateway.kill('SIGTERM');
    const { stdout, stderr } = await gateway.finished;
    return JSON.stringify(responses) + stdout + stderr + collector.bodies;
  } finally {
    gateway.kill('SIGKILL');
  }
}

const stopAs = (url: string, taskId: string): Promise<HttpResponse> =>
  send(url, `/ingest-tasks/${taskId}`, { headers: bearerHeader(CALLER_KEY) });

describe('no secret leaves the gateway at its most talkative', () => {
  it('whatever the cloud does, even when it sends back what it was sent', async () => {
    const bytes = await bytesOf({}, async (url) => {
      const responses: HttpResponse[] = [];
      const faults = [...FAULTS.map((row) => row.fault), ...ECHOES];
      for (const [index, fault] of faults.entries()) {
        sandbox.setFaults([{ fault, times: 1 }]);
        responses.push(await stopAs(url, `marked-task-${index}`));
        sandbox.setFaults([]);
        // A definite answer in between, else the circuit would spare the gateway the rest.
        responses.push(await stopAs(url, `healthy-${index}`));
      }
      expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200, 404, 502, 503, 504]));
      return responses;
    });
    for (const text of ['upstream-timeout', 'SwaggerUIBundle', '"openapi', '"problems'])
      expect(bytes).toContain(text);
    // Spans were looked at, too.
    expect(collector.spans.length).toBeGreaterThan(50);
    expect(findSecrets(bytes, PLANTED_SECRETS)).toEqual([]);
  });

  it('whatever callers send', async () => {
    const head = `Host: x\r\nAuthorization: Bearer ${CALLER_KEY}\r\n`;
    const bytes = await bytesOf({}, async (url) => [
      ...(await Promise.all(
        [
          bearerHeader(PLANTED_SECRETS['wrong key']!),
          bearerHeader(SECRETS.secretKey),
          { authorization: `Basic ${CALLER_KEY}` },
          { authorization: CALLER_KEY },
          { ...bearerHeader(CALLER_KEY), prefer: 'wait=1' },
          { ...bearerHeader(CALLER_KEY), 'x-request-id': 'a b' },
          { ...bearerHeader(CALLER_KEY), 'content-type': 'nonsense', 'content-length': '0' },
        ].map((headers) => send(url, '/ingest-tasks/x?a=b', { headers })),
      )),
      await send(url, '/ingest-tasks/%ZZ', { headers: bearerHeader(CALLER_KEY) }),
      await send(url, '/ingest-tasks/x', { headers: bearerHeader(CALLER_KEY), body: 'x'.repeat(5000) }),
      await send(url, '/nowhere', { method: 'PATCH', headers: bearerHeader(CALLER_KEY) }),
      await sendRaw(url, `DELETE /ingest-tasks/x HTTP/1.1\r\n${head}Broken header\r\n\r\n`),
      await sendRaw(url, `DELETE /ingest-tasks/x HTTP/1.1\r\n${head}A: ${'a'.repeat(20_000)}\r\n\r\n`),
      await sendRaw(url, `DELETE /ingest-tasks/x HTTP/1.1\r\n${head}`),
      await sendRaw(url, `DELETE /ingest-tasks/x HTTP/1.1\r\n${head}Content-Length: 9\r\n\r\nx`),
    ]);
    expect(bytes).toContain('unauthenticated');
    expect(findSecrets(bytes, PLANTED_SECRETS)).toEqual([]);
  });

  it.each([
    ['that nobody listens on', () => 'http://127.0.0.1:9'],
    ['whose certificate it does not trust', () => sandbox.httpsUrl],
    ['that speaks no TLS', () => sandbox.httpUrl.replace('http:', 'https:')],
    ['without an address', () => 'https://trtc.invalid'],
  ])('to an endpoint %s', async (_, endpoint) => {
    const bytes = await bytesOf({ TRTC_ENDPOINT: endpoint() }, async (url) => [await stopAs(url, 'x')]);
    expect(bytes).toContain('upstream-unreachable');
    expect(findSecrets(bytes, PLANTED_SECRETS)).toEqual([]);
  });

  it('nor when it is configured wrongly', async () => {
    const { stdout, stderr } = await new GatewayProcess({
      ...variables,
      TENCENTCLOUD_SECRET_KEY: `${SECRETS.secretKey} and a blank`,
      TENCENTCLOUD_SESSION_TOKEN: `${SECRETS.token}\n`,
      TRTC_ENDPOINT: `https://x:${encodeURIComponent(SECRETS.secretKey)}@host`,
      CALLERS_FILE: join(folder.path, CALLER_KEY.replaceAll('/', '_')),
      PORT: SECRETS.secretId,
    }).finished;
    expect(stderr).toContain('5 errors');
    expect(findSecrets(stdout + stderr, PLANTED_SECRETS)).toEqual([]);
  });

  it('nor when it dies of an error that holds the request as axios’ errors do', async () => {
    const bytes = await bytesOf(
      await planted(`process.on('SIGUSR2', () => {
        const { TENCENTCLOUD_SECRET_KEY: key } = process.env;
        const error = new Error('planted');
        error.config = { headers: { Authorization: 'TC3-HMAC-SHA256 Signature=' + key } };
        throw Object.assign(error, { cause: new Error(key), request: { key }, response: key });
      });`),
      async (_, gateway) => {
        gateway.kill('SIGUSR2');
        await gateway.finished;
        return [];
      },
    );
    expect(bytes).toContain('planted');
    expect(findSecrets(bytes, PLANTED_SECRETS)).toEqual([]);
  });
});

describe('a leak that is planted is found', () => {
  it.each([
    ['plain', 'secretKey', "console.log('key=' + key)"],
    ['URL-encoded', 'secretKey', 'console.error(encodeURIComponent(key))'],
    ['hex', 'secretKey', "console.log(Buffer.from(key).toString('hex'))"],
    ['base64', 'secretKey', "console.log(Buffer.from('key=' + key + '&').toString('base64'))"],
    ['base64', 'secretKey', "console.log(Buffer.from('a:' + key).toString('base64url'))"],
  ])('%s, on its way out', async (spelling, name, leaksIn) => {
    const bytes = await bytesOf(
      await planted(`process.on('SIGUSR2', () => {
        const { TENCENTCLOUD_SECRET_KEY: key } = process.env;
        ${leaksIn};
        console.log('planted');
      });`),
      async (_, gateway) => {
        gateway.kill('SIGUSR2');
        await eventually(() => gateway.stdout.includes('planted'));
        return [];
      },
    );
    expect(findSecrets(bytes, PLANTED_SECRETS)).toContain(`${name}, ${spelling}`);
  });

  it('as what is sent to the cloud is found, dumped by a debug line', async () => {
    const bytes = await bytesOf(
      await planted(`import http from 'node:http';
        const { request } = http;
        http.request = (options, ...rest) => {
          console.log('headers', JSON.stringify(options.headers));
          return request(options, ...rest);
        };`),
      async (url) => [await stopAs(url, 'x')],
    );
    expect(findSecrets(bytes, PLANTED_SECRETS)).toEqual(
      expect.arrayContaining(['secretId, plain', 'token, plain', 'signature, plain', 'signed header, plain']),
    );
  });
});

let plantings = 0;

/** What runs inside the gateway's process before its own code does: a file, because stacks name where code is from. */
async function planted(code: string): Promise<Record<string, string>> {
  const file = join(folder.path, `planted-${(plantings += 1)}.mjs`);
  await writeFile(file, code);
  return { NODE_OPTIONS: `--import=${file}` };
}
