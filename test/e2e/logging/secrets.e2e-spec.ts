import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { Fault } from '../../../apps/sandbox/src/faults.js';
import { bearerHeader, callerEntry } from '../../support/callers-file.js';
import { type HttpResponse, send } from '../../support/client.js';
import { OtlpCollector } from '../../support/otlp-collector.js';
import { FAULTS } from '../../support/upstream-faults.js';
import { gatewayEnvironment } from '../../support/environment.js';
import { type PlantedSecrets, findSecrets } from '../../support/secret-scanner.js';
import { GatewayProcess } from '../../support/process.js';
import { sendRaw } from '../../support/raw-http.js';
import { sandboxFixture, tempFolderFixture } from '../../support/fixtures.js';

const CALLER_KEY = 'igw_marked+caller/key~1==';
const SECRETS = {
  secretId: 'AKIDmarked+secret~id',
  secretKey: 'marked+secret/key?1',
  token: 'marked+session/token?2==',
};
const PLANTED_SECRETS: PlantedSecrets = {
  ...SECRETS,
  'caller key': CALLER_KEY,
  'caller key, truncated': CALLER_KEY.slice(0, -3),
  'digest of the caller key': String(callerEntry('x', CALLER_KEY)['keySha256']),
  'wrong key': 'igw_marked-wrong-key',
  'token of the collector': 'marked+collector/token?3',
  signature: 'Signature=',
  'signed header': 'TC3-HMAC-SHA256',
};

/** The paths without authentication. */
const PUBLIC_PATHS = [
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

/** All secrets, as an upstream might echo them. */
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
  ...Object.values(SECRETS).flatMap((secret): Fault[] => [
    { kind: 'error', code: secret },
    { kind: 'error', code: `InternalError.${secret}` },
    { kind: 'error', code: `InternalError.${secret.replaceAll(/[^A-Za-z0-9]/g, '')}` },
    { kind: 'body', body: JSON.stringify({ Response: { RequestId: secret } }) },
  ]),
  { kind: 'body', body: ECHO },
  { kind: 'body', body: JSON.stringify({ Response: { RequestId: ECHO } }) },
  {
    kind: 'body',
    body: JSON.stringify({
      Response: { RequestId: '71993312-6ab8-4768-9124-118e0a20c45f', Echo: ECHO },
    }),
    headers: { 'x-echo': ECHO },
  },
];

const sandbox = await sandboxFixture({
  acceptUnknownTasks: true,
  quotaPerSecond: 100_000,
  credentials: [SECRETS],
});
const folder = await tempFolderFixture();
const callersFile = join(folder, 'callers.json');
await writeFile(callersFile, JSON.stringify([callerEntry('marked', CALLER_KEY)]));
const collector = await OtlpCollector.start();
const variables: Record<string, string> = {
  ...gatewayEnvironment(sandbox),
  TENCENTCLOUD_SECRET_ID: SECRETS.secretId,
  TENCENTCLOUD_SECRET_KEY: SECRETS.secretKey,
  TENCENTCLOUD_SESSION_TOKEN: SECRETS.token,
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

afterAll(() => collector.close());

/** Starts a gateway, exercises and stops it. @returns every byte that left it */
async function outputOf(
  changes: Record<string, string>,
  exercise: (url: string, gateway: GatewayProcess) => Promise<(HttpResponse | string)[]>,
): Promise<string> {
  const gateway = new GatewayProcess({ ...variables, ...changes });
  try {
    const url = await gateway.url();
    const responses = await exercise(url, gateway);
    for (const path of PUBLIC_PATHS)
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

describe('no secret leaves the gateway at log level trace', () => {
  it('when the upstream has any fault or echoes the request', async () => {
    const bytes = await outputOf({}, async (url) => {
      const responses: HttpResponse[] = [];
      const faults = [...FAULTS.map((row) => row.fault), ...ECHOES];
      for (const [index, fault] of faults.entries()) {
        sandbox.setFaults([{ fault, times: 1 }]);
        responses.push(await stopAs(url, `marked-task-${index}`));
        sandbox.setFaults([]);
        // A success in between keeps the circuit closed.
        responses.push(await stopAs(url, `healthy-${index}`));
      }
      expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200, 404, 502, 503, 504]));
      return responses;
    });
    for (const text of ['upstream-timeout', 'SwaggerUIBundle', '"openapi', '"problems'])
      expect(bytes).toContain(text);
    // The output includes spans.
    expect(collector.spans.length).toBeGreaterThan(50);
    expect(findSecrets(bytes, PLANTED_SECRETS)).toEqual([]);
  });

  it('when callers send invalid requests', async () => {
    const head = `Host: x\r\nAuthorization: Bearer ${CALLER_KEY}\r\n`;
    const bytes = await outputOf({}, async (url) => [
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
      await sendRaw(url, `DELETE /ingest-tasks/x HTTP/1.1\r\n${head}`, { halfClose: true }),
      await sendRaw(url, `DELETE /ingest-tasks/x HTTP/1.1\r\n${head}Content-Length: 9\r\n\r\nx`, {
        halfClose: true,
      }),
    ]);
    expect(bytes).toContain('unauthenticated');
    expect(findSecrets(bytes, PLANTED_SECRETS)).toEqual([]);
  });

  it('when it calls an endpoint that is unreachable for any reason', async () => {
    const endpoints = [
      // Nothing listens.
      'http://127.0.0.1:9',
      // The gateway does not trust the certificate.
      sandbox.httpsUrl,
      // The endpoint has no TLS.
      sandbox.httpUrl.replace('http:', 'https:'),
      // The name does not resolve.
      'https://trtc.invalid',
    ];
    const outputs = await Promise.all(
      endpoints.map((endpoint) =>
        outputOf({ TRTC_ENDPOINT: endpoint }, async (url) => [await stopAs(url, 'x')]),
      ),
    );
    for (const bytes of outputs) {
      expect(bytes).toContain('upstream-unreachable');
      expect(findSecrets(bytes, PLANTED_SECRETS)).toEqual([]);
    }
  });

  it('when its configuration is invalid', async () => {
    const { stdout, stderr } = await new GatewayProcess({
      ...variables,
      TENCENTCLOUD_SECRET_KEY: `${SECRETS.secretKey} and a blank`,
      TENCENTCLOUD_SESSION_TOKEN: `${SECRETS.token}\n`,
      TRTC_ENDPOINT: `https://x:${encodeURIComponent(SECRETS.secretKey)}@host`,
      CALLERS_FILE: join(folder, CALLER_KEY.replaceAll('/', '_')),
      PORT: SECRETS.secretId,
    }).finished;
    expect(stderr).toContain('5 errors');
    expect(findSecrets(stdout + stderr, PLANTED_SECRETS)).toEqual([]);
  });
});

describe('the scanner', () => {
  it.each([
    ['plain', (key: string) => `key=${key}`],
    ['URL-encoded', encodeURIComponent],
    ['hex', (key: string) => Buffer.from(key).toString('hex')],
    ['base64', (key: string) => Buffer.from(`key=${key}&`).toString('base64')],
    ['base64', (key: string) => Buffer.from(`a:${key}`).toString('base64url')],
  ])('finds a secret that is printed as %s', (encoding, encode) => {
    expect(findSecrets(`a text with ${encode(SECRETS.secretKey)} in it`, PLANTED_SECRETS)).toContain(
      `secretKey, ${encoding}`,
    );
  });

  it('finds a printed upstream request', async () => {
    const bytes = await outputOf(
      await preload(`import http from 'node:http';
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

let preloads = 0;

/** Runs code in the gateway process before the gateway's code. It is in a file, because stacks contain its path. */
async function preload(code: string): Promise<Record<string, string>> {
  const file = join(folder, `preload-${(preloads += 1)}.mjs`);
  await writeFile(file, code);
  return { NODE_OPTIONS: `--import=${file}` };
}
