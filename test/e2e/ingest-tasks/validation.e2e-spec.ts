import { afterEach, describe, expect, it } from '@jest/globals';
import { type HttpResponse, send } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { readMetric } from '../../support/metrics.js';
import { gatewayFixture } from '../../support/fixtures.js';

const { sandbox, gateway } = await gatewayFixture({ acceptUnknownTasks: true });

afterEach(async () => {
  expect(sandbox.receivedRequests()).toEqual([]);
  expect(await readMetric(gateway.url, 'ingest_gateway_quota_decisions_total{decision="granted"}')).toBe(0);
});

/** Checks the members that every problem has, and the given ones. */
function expectProblem({ status, headers, body }: HttpResponse, expected: Record<string, unknown>): void {
  expect({ status, ...body }).toMatchObject(expected);
  expect(headers['content-type']).toBe('application/problem+json');
  expect(body).toMatchObject({
    type: `/problems/${String(body!['code'])}`,
    status,
    outcome: 'not-sent',
    instance: headers['x-request-id'],
  });
}

const ID_ERROR = 'must have 1 to 256 characters, none of them a control character';
const SDK_APP_ID_ERROR = 'must be given once, as a positive whole number below 2^53';
const REGION_ERROR = 'must be given once, as one of ap-bangkok, ap-jakarta, ap-mumbai, ap-singapore';
const UNKNOWN_ERROR = 'is not a parameter of this route';
const ENCODING_ERROR = 'is not percent-encoded UTF-8';
const path = (message: string, name = 'id') => ({ in: 'path', name, message });
const query = (name: string, message: string) => ({ in: 'query', name, message });

describe('an invalid request gets 400 with every error and is not sent', () => {
  it.each([
    ['an empty id', '/ingest-tasks/', [path(ID_ERROR)]],
    ['257 characters', `/ingest-tasks/${'a'.repeat(257)}`, [path(ID_ERROR)]],
    ['257 characters outside the BMP', `/ingest-tasks/${'%F0%9F%8E%A5'.repeat(257)}`, [path(ID_ERROR)]],
    ['a newline', '/ingest-tasks/a%0Ab', [path(ID_ERROR)]],
    ['a NUL', '/ingest-tasks/a%00', [path(ID_ERROR)]],
    ['DEL', '/ingest-tasks/%7F', [path(ID_ERROR)]],
    ['a C1 control', '/ingest-tasks/%C2%85', [path(ID_ERROR)]],
    ['a lone percent sign', '/ingest-tasks/a%', [path(ENCODING_ERROR, '')]],
    ['a percent sign before a non-hexadecimal digit', '/ingest-tasks/%ZZ', [path(ENCODING_ERROR, '')]],
    ['overlong UTF-8', '/ingest-tasks/%C0%AF', [path(ENCODING_ERROR, '')]],
    ['a UTF-8 surrogate', '/ingest-tasks/%ED%A0%80', [path(ENCODING_ERROR, '')]],
    ['truncated UTF-8', '/ingest-tasks/%E2%82', [path(ENCODING_ERROR, '')]],
    ...['0', '+1', '0x10', '٣', 'abc'].map(
      (value) =>
        [
          `sdkAppId=${value}`,
          `/ingest-tasks/x?sdkAppId=${encodeURI(value)}`,
          [query('sdkAppId', SDK_APP_ID_ERROR)],
        ] as const,
    ),
    ['an unknown region', '/ingest-tasks/x?region=ap-tokyo', [query('region', REGION_ERROR)]],
    ['an unknown parameter', '/ingest-tasks/x?force=1', [query('force', UNKNOWN_ERROR)]],
    [
      'parameters with a meaning in JavaScript',
      '/ingest-tasks/x?__proto__=1&constructor=2',
      [query('__proto__', UNKNOWN_ERROR), query('constructor', UNKNOWN_ERROR)],
    ],
    [
      'a query parameter with the name of the path parameter',
      '/ingest-tasks/x?id=y',
      [query('id', UNKNOWN_ERROR)],
    ],
    [
      'several errors at once',
      `/ingest-tasks/a%0A?sdkAppId=0&region=moon&force=1&SdkAppId=2`,
      [
        path(ID_ERROR),
        query('sdkAppId', SDK_APP_ID_ERROR),
        query('region', REGION_ERROR),
        query('force', UNKNOWN_ERROR),
        query('SdkAppId', UNKNOWN_ERROR),
      ],
    ],
  ])('when it has %s', async (_, target, errors) => {
    const response = await send(gateway.url, target);
    expectProblem(response, { status: 400, code: 'invalid-request', errors });
    expect(response.headers['ratelimit-policy']).toBe('"stop";q=20;w=1');
    expect(response.headers['ratelimit']).toMatch(/^"stop";r=\d+;t=\d$/);
  });
});

describe('a stop that the router cannot match', () => {
  const COUNTERS = [
    'ingest_gateway_stop_requests_total{caller="anonymous",result="invalid-request"}',
    'http_server_request_duration_seconds_count{method="DELETE",route="/ingest-tasks/:id",status="400"}',
  ];
  const readCounters = () => Promise.all(COUNTERS.map((name) => readMetric(gateway.url, name)));

  it.each(['/ingest-tasks/', '/ingest-tasks/?force=1', '/ingest-tasks/%zz', '/ingest-tasks/a%'])(
    'is logged and counted as a stop: %s',
    async (target) => {
      const before = await readCounters();
      const { headers } = await send(gateway.url, target);
      await eventually(async () => {
        const now = await readCounters();
        return now.every((count, index) => count === before[index]! + 1);
      });
      // The log samples rejections beyond ten per second.
      const requestId = `${String(headers['x-request-id'])}-retry`;
      const isLogged = () => gateway.logs.some((entry) => entry['requestId'] === requestId);
      await eventually(async () => {
        await send(gateway.url, target, { headers: { 'x-request-id': requestId } });
        return isLogged();
      });
      expect(gateway.logs.find((entry) => entry['requestId'] === requestId)).toMatchObject({
        event: 'stop-completed',
        result: 'invalid-request',
        outcome: 'not-sent',
      });
    },
  );

  it('gets 405 for another method, and is not counted as a stop', async () => {
    const before = await readCounters();
    const { status, headers } = await send(gateway.url, '/ingest-tasks/', { method: 'GET' });
    expect([status, headers['allow'], headers['ratelimit']]).toEqual([405, 'DELETE', undefined]);
    expect(await readCounters()).toEqual(before);
  });
});

describe('another route', () => {
  it.each(['/problems/%zz', '/%', 'http:///livez', 'http://[/livez'])(
    'gets 400 when its target is malformed: %s',
    async (target) => {
      expectProblem(await send(gateway.url, target, { method: 'GET' }), {
        status: 400,
        code: 'invalid-request',
        errors: [path(ENCODING_ERROR, '')],
      });
    },
  );
});

describe('a body', () => {
  it.each([
    ['application/json', '{}'],
    ['text/plain', 'x'],
    ['application/x-www-form-urlencoded', 'a=b'],
    ['nonsense', 'x'],
  ])('of type %s gets 400', async (type, body) => {
    const response = await send(gateway.url, '/ingest-tasks/x', { headers: { 'content-type': type }, body });
    expectProblem(response, {
      status: 400,
      code: 'invalid-request',
      errors: [{ in: 'body', name: '', message: 'must be empty' }],
    });
  });

  it('without a type gets 400', async () => {
    const response = await send(gateway.url, '/ingest-tasks/x', { body: 'x' });
    expectProblem(response, { status: 400, code: 'invalid-request' });
  });

  it('is listed with the other errors', async () => {
    const response = await send(gateway.url, '/ingest-tasks/x?a=1', { body: 'x' });
    expectProblem(response, {
      status: 400,
      errors: [query('a', UNKNOWN_ERROR), { in: 'body', name: '', message: 'must be empty' }],
    });
  });

  it('over the limit gets 413', async () => {
    const response = await send(gateway.url, '/ingest-tasks/x', { body: 'x'.repeat(100_000) });
    expectProblem(response, { status: 413, code: 'content-too-large' });
  });
});

describe('a wrong method', () => {
  it.each(['GET', 'POST', 'PUT', 'PATCH', 'OPTIONS', 'PROPFIND'])(
    '%s gets 405 with Allow',
    async (method) => {
      const response = await send(gateway.url, '/ingest-tasks/x', { method });
      expectProblem(response, { status: 405, code: 'method-not-allowed' });
      expect(response.headers['allow']).toBe('DELETE');
    },
  );

  it('on another route gets the methods of that route in Allow', async () => {
    const response = await send(gateway.url, '/metrics');
    expectProblem(response, { status: 405, code: 'method-not-allowed' });
    expect(response.headers['allow']).toBe('GET, HEAD');
  });
});

describe('an unknown path', () => {
  it.each([
    '/',
    '/ingest-tasks',
    '/ingest-tasks/a/b',
    '/INGEST-TASKS/a',
    '//ingest-tasks/a',
    '/ingest-tasks//a',
    '*ingest-tasks/a',
    '/openapiXjson',
  ])('%s gets 404', async (target) => {
    expectProblem(await send(gateway.url, target), { status: 404, code: 'route-not-found' });
  });
});
