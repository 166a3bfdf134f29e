import http from 'node:http';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc, { type Arbitrary } from 'fast-check';
import { scaledRuns } from '../../libs/quota/test/scaled-runs.js';
import { DOCUMENTED_CODES } from '../../libs/tencent-cloud/src/error-codes.js';
import { stopTask } from '../support/client.js';
import { listen } from '../support/free-port.js';
import { OtlpCollector } from '../support/otlp-collector.js';
import { GatewayProcess } from '../support/process.js';
import { findSecrets } from '../support/secret-scanner.js';

const INPUTS = scaledRuns(5000);
const PARALLEL_CALLS = 8;

/** Letters only, so that they have the form of an error code. */
const CREDENTIALS = { secretId: 'AKIDSecretIdOfLettersOnly', token: 'SessionTokenOfLettersOnly' };

/** The secrets of one request, as the cloud receives them. */
interface Secrets {
  readonly secretId: string;
  readonly token: string;
  readonly signature: string;
  readonly authorization: string;
}

interface CloudResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | Buffer;
}

/** A text that depends on the secrets of the request. */
type Text = (secrets: Secrets) => unknown;

const asUuid = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
const ECHOES: Text[] = [
  ({ secretId }) => secretId,
  ({ token }) => token,
  ({ secretId }) => secretId.toLowerCase(),
  ({ token }) => token.toUpperCase(),
  ({ secretId }) => secretId.slice(4),
  ({ token }) => `X${token.slice(1)}`,
  ({ signature }) => signature,
  ({ signature }) => asUuid(signature),
  ({ signature }) => asUuid(signature.slice(-32)).toUpperCase(),
  // An error code begins with a letter.
  ({ signature }) => `x${signature.slice(1)}`.slice(0, 64),
  ({ authorization }) => authorization,
];

const constant = (arbitrary: Arbitrary<unknown>): Arbitrary<Text> => arbitrary.map((value) => () => value);
const echo = fc.constantFrom(...ECHOES);
const code = fc.constantFrom(
  // Throttling reduces the quota, and a wrong clock changes all later signatures.
  ...DOCUMENTED_CODES.filter((each) => !/^RequestLimitExceeded|SignatureExpire/.test(each)),
);
const withSubcode = fc.tuple(code, echo).map(
  ([parent, text]): Text =>
    (secrets) =>
      `${parent}.${String(text(secrets))}`,
);
const requestId = fc.oneof(constant(fc.uuid()), echo, constant(fc.jsonValue()));
const errorCode = fc.oneof(constant(code), withSubcode, echo, constant(fc.string()));
const error = fc.record(
  { Code: errorCode, Message: echo, Extra: fc.oneof(echo, constant(fc.jsonValue())) },
  { requiredKeys: [] },
);
const members = fc.record(
  { RequestId: requestId, Error: error, TaskId: echo, Extra: constant(fc.jsonValue()) },
  { requiredKeys: [] },
);
/** Resolves the texts of a tree. */
const resolve = (value: unknown, secrets: Secrets): unknown =>
  typeof value === 'function'
    ? (value as Text)(secrets)
    : Object.fromEntries(Object.entries(value as object).map(([key, each]) => [key, resolve(each, secrets)]));

const json: Arbitrary<Text> = members.map(
  (each) => (secrets) => JSON.stringify({ Response: resolve(each, secrets) }),
);
const cut = fc.tuple(json, fc.nat({ max: 200 })).map(
  ([text, end]): Text =>
    (secrets) =>
      String(text(secrets)).slice(0, end),
);
const bytes = constant(fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)));
const body = fc.oneof({ weight: 8, arbitrary: json }, cut, echo, bytes);
const cloudResponse: Arbitrary<(secrets: Secrets) => CloudResponse> = fc
  .tuple(body, fc.oneof({ weight: 9, arbitrary: fc.constant(200) }, fc.integer({ min: 200, max: 599 })), echo)
  .map(([content, status, header]) => (secrets) => ({
    status,
    headers: { 'x-echo': String(header(secrets)), location: `/${String(header(secrets))}` },
    body: content(secrets) as string | Buffer,
  }));

const healthy: CloudResponse = {
  status: 200,
  headers: {},
  body: '{"Response":{"RequestId":"71993312-6ab8-4768-9124-118e0a20c45f"}}',
};

const seed = Math.floor(Math.random() * 2 ** 31);
const inputs = fc.sample(cloudResponse, { numRuns: INPUTS, seed });
/** The RequestIds that contain a part of a signature. */
const signaturesAsUuid = new Set<string>();
let requests = 0;
let served = 0;
const cloud = http.createServer((request, response) => {
  const authorization = String(request.headers.authorization);
  const secrets = { ...CREDENTIALS, signature: authorization.slice(-64), authorization };
  signaturesAsUuid.add(asUuid(secrets.signature)).add(asUuid(secrets.signature.slice(-32)).toUpperCase());
  requests += 1;
  // Every other response is a success, which keeps the circuit closed.
  const input = requests % 2 === 0 ? inputs[served] : undefined;
  if (input) served += 1;
  const { status, headers, body: content } = input?.(secrets) ?? healthy;
  response.writeHead(status, headers).end(content);
});
const port = await listen(cloud);
const collector = await OtlpCollector.start();
const gateway = new GatewayProcess({
  TENCENTCLOUD_SECRET_ID: CREDENTIALS.secretId,
  TENCENTCLOUD_SECRET_KEY: 'any-secret-key',
  TENCENTCLOUD_SESSION_TOKEN: CREDENTIALS.token,
  TRTC_SDK_APP_ID: '1400000001',
  TRTC_ENDPOINT: `http://127.0.0.1:${port}`,
  ALLOW_ANONYMOUS: 'true',
  HOST: '127.0.0.1',
  PORT: '0',
  QUOTA_PER_SECOND: '1000',
  UPSTREAM_MAX_ATTEMPTS: '1',
  LOG_LEVEL: 'trace',
  ...collector.environment,
});
const url = await gateway.url();

afterAll(async () => {
  gateway.kill('SIGKILL');
  cloud.closeAllConnections();
  cloud.close();
  await collector.close();
});

describe(`${INPUTS} responses of a cloud that returns secrets in every field`, () => {
  it('cause neither a crash nor a 500, and no output contains a secret', async () => {
    const outputs: string[] = [];
    const statuses = new Set<number>();
    let calls = 0;
    const callUntilServed = async (): Promise<void> => {
      for (;;) {
        if (served >= INPUTS) return;
        const { status, text, headers } = await stopTask(url, `task-${(calls += 1)}`, '', {
          prefer: 'wait=30',
        });
        statuses.add(status);
        outputs.push(text, JSON.stringify(headers));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_CALLS }, callUntilServed));
    const { code: exitCode, stdout, stderr } = await gateway.stop('SIGTERM');
    outputs.push(stdout, stderr, ...collector.requests.map(({ body: spans }) => spans.toString('latin1')));
    expect({ seed, exitCode, stderr }).toEqual({ seed, exitCode: 0, stderr: '' });
    expect([...statuses].filter((status) => ![200, 404, 502, 503].includes(status))).toEqual([]);
    const found = outputs.flatMap((output) => [
      ...findSecrets(output, CREDENTIALS),
      ...findSecrets(output.toLowerCase(), {
        'secretId in lower case': CREDENTIALS.secretId.toLowerCase().slice(4),
        'token in lower case': CREDENTIALS.token.toLowerCase().slice(1),
      }),
      // The only hexadecimal texts of such a length are signatures.
      ...(output.match(/[\da-f]{60}/gi) ?? []),
    ]);
    expect({ seed, found: [...new Set(found)] }).toEqual({ seed, found: [] });
    const requestIds = new Set(upstreamRequestIds(outputs));
    expect([...signaturesAsUuid].filter((uuid) => requestIds.has(uuid))).toEqual([]);
    // Many responses were valid.
    expect(requestIds.size).toBeGreaterThan(INPUTS / 50);
  }, 1_800_000);
});

/** Returns the RequestIds of all log entries. */
function upstreamRequestIds(outputs: readonly string[]): string[] {
  return outputs.flatMap((output) =>
    [...output.matchAll(/"upstreamRequestId":"([^"]*)"/g)].map(([, id]) => id!),
  );
}
