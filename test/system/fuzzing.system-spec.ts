import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc, { type Arbitrary } from 'fast-check';
import { bearerHeader, callerEntry } from '../support/callers-file.js';
import { stopTask } from '../support/client.js';
import { gatewayEnvironment } from '../support/environment.js';
import { GatewayProcess } from '../support/process.js';
import { connectRaw } from '../support/raw-http.js';
import { sandboxFixture, tempFolderFixture } from '../support/fixtures.js';

const KEY = 'igw_valid-key';

/** The number of requests that are sent in parallel, each on its own connection. */
const BATCH_SIZE = 250;

/** A connection without a response after this time is one where the gateway waits for more input. */
const IDLE_TIMEOUT_MS = 60;

/** Closes a connection whose input was a complete request, or becomes one with an empty line. */
const CLOSING_REQUEST = '\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

const sandbox = await sandboxFixture({ acceptUnknownTasks: true, quotaPerSecond: 100_000 });
const callers = join(await tempFolderFixture(), 'callers.json');
await writeFile(callers, JSON.stringify([callerEntry('fuzzer', KEY)]));
const gateway = new GatewayProcess({
  ...gatewayEnvironment(sandbox),
  TRTC_ENDPOINT: sandbox.httpUrl,
  ALLOW_ANONYMOUS: '',
  CALLERS_FILE: callers,
  QUOTA_PER_SECOND: '1000',
  LOG_LEVEL: 'info',
  SHUTDOWN_GRACE_MS: '1000',
});
const url = await gateway.url();

afterAll(async () => {
  const { code, stderr } = await gateway.stop('SIGTERM');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

beforeEach(() => sandbox.clearReceivedRequests());

function exchange(input: Uint8Array): Promise<string> {
  const { socket, closed } = connectRaw(url);
  socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.resetAndDestroy());
  socket.write(input);
  socket.write(CLOSING_REQUEST);
  return closed;
}

// A new task id each time, because the gateway caches ended tasks.
let lastValidTaskId = '';
let validCalls = 0;
const nextValidTaskId = (): string => (lastValidTaskId = `valid-call-${(validCalls += 1)}`);

/** Returns the rule that the response violates; undefined when there is none. */
function contractViolation(response: string): string | undefined {
  const statuses = [...response.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
  const rejections = statuses.filter((status) => status >= 400).length;
  const problems = response.match(/content-type: application\/problem\+json/gi) ?? [];
  if (statuses.some((status) => status >= 500)) return 'a status of 500 or more';
  if (problems.length !== rejections) return `${rejections} rejections with ${problems.length} problems`;
  return response === '' || response.startsWith('HTTP/1.1 ') ? undefined : 'not an HTTP/1.1 response';
}

/** Returns bytes as a string literal without the key. */
const toLiteral = (bytes: string): string => JSON.stringify(bytes.replaceAll(KEY, '<key>'));

/** Sends inputs and checks every response. Then checks that the gateway still serves a valid call. */
async function expectNoViolation(input: Arbitrary<Uint8Array>, inputs: number): Promise<void> {
  const batch = fc.array(input, { minLength: BATCH_SIZE, maxLength: BATCH_SIZE });
  const { failed, seed, errorInstance } = await fc.check(
    fc.asyncProperty(batch, async (all) => {
      const responses = await Promise.all(all.map(exchange));
      for (const [at, response] of responses.entries()) {
        const error = contractViolation(response);
        if (error === undefined) continue;
        const sent = Buffer.from(all[at]!).toString('latin1');
        throw new Error(`${error}\nsent:     ${toLiteral(sent)}\nreceived: ${toLiteral(response)}`);
      }
    }),
    { numRuns: inputs / BATCH_SIZE, endOnFailure: true },
  );
  // The report of fast-check would contain the whole batch.
  if (failed) throw new Error(`seed ${seed}: ${(errorInstance as Error).message}`);
  expect((await stopTask(url, nextValidTaskId(), '', bearerHeader(KEY))).status).toBe(200);
}

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const token = fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/);
const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 30,
});
const pathText = fc.stringMatching(/^[A-Za-z0-9%./?#&=;:@+-]{0,40}$/);
const method = fc.oneof(
  { weight: 9, arbitrary: fc.constant('DELETE') },
  fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'TRACE', 'CONNECT', 'PRI', 'delete', 'FOO', ''),
);
const target = fc.oneof(
  { weight: 6, arbitrary: token.map((id) => `/ingest-tasks/${id}`) },
  { weight: 3, arbitrary: pathText.map((rest) => `/ingest-tasks/${rest}`) },
  fc.constantFrom(
    '*',
    '//',
    '/..',
    '/%00',
    'http://evil.example/ingest-tasks/a',
    '/metrics',
    '/livez',
    'evil:443',
  ),
  pathText.map((rest) => `/${rest}`),
  anyText,
);
const header = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(token, token).map(([name, value]) => `X-${name}: ${value}`) },
  fc.tuple(token, anyText).map(([name, value]) => `${name}: ${value}`),
  fc.constantFrom(
    'Content-Length: 0',
    'Content-Length: 5',
    'Content-Length: 0, 5',
    'Content-Length: -1',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding : chunked',
    'Connection: close',
    'Connection: Upgrade',
    'Upgrade: h2c',
    'Expect: 100-continue',
    'Expect: nonsense',
    ' folded',
    'Host: y',
    'Prefer: wait=99999999999999999999',
    'X-Request-Id: \u00e9',
  ),
);

/** A valid or almost valid request with the given header lines. */
const request = (lines: readonly string[]): Arbitrary<string> =>
  fc
    .record({
      line: fc.tuple(
        method,
        target,
        fc.constantFrom(...Array<string>(9).fill('HTTP/1.1'), 'HTTP/1.0', 'HTTP/2.0', ''),
      ),
      headers: fc.array(header, { maxLength: 5 }),
      end: fc.constantFrom(...Array<string>(9).fill('\r\n'), '\n', '\r'),
      body: fc.oneof(fc.constant(''), fc.constant('5\r\nhello\r\n0\r\n\r\n'), anyText),
    })
    .map(({ line, headers, end, body }) =>
      [line.join(' '), 'Host: x', ...lines, ...headers, '', body].join(end),
    );

/** Replaces, duplicates, drops or inserts some bytes. */
const corrupted = (text: Arbitrary<string>): Arbitrary<Uint8Array> =>
  fc
    .tuple(
      text,
      fc.array(
        fc.tuple(fc.nat(), fc.constantFrom('replace', 'duplicate', 'drop', 'insert'), fc.nat({ max: 255 })),
        {
          maxLength: 3,
        },
      ),
    )
    .map(([original, corruptions]) => {
      const bytes = [...latin1(original)];
      for (const [position, how, byte] of corruptions) {
        const at = position % (bytes.length + 1);
        if (how === 'replace') bytes[at] = byte;
        if (how === 'duplicate') bytes.splice(at, 0, ...bytes.slice(at, at + 40));
        if (how === 'drop') bytes.splice(at, 1 + (byte % 20));
        if (how === 'insert') bytes.splice(at, 0, byte);
      }
      return Uint8Array.from(bytes);
    });

const AUTHORIZED = [`Authorization: Bearer ${KEY}`];

describe('the gateway neither crashes nor returns 5xx, and every rejection is a problem', () => {
  it('for 10,000 inputs of random bytes', async () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), anyText.map(latin1));
    await expectNoViolation(bytes, 10_000);
    expect(sandbox.receivedRequests().map(({ taskId }) => taskId)).toEqual([lastValidTaskId]);
  }, 900_000);

  it('for 15,000 requests without a valid key, which never reach the upstream', async () => {
    const invalidKey = fc.oneof(
      fc.constant([]),
      token.map((key) => [`Authorization: Bearer igw_wrong${key}`]),
      anyText.map((text) => [`Authorization: ${text}`]),
    );
    await expectNoViolation(corrupted(invalidKey.chain(request)), 15_000);
    expect(sandbox.receivedRequests().map(({ taskId }) => taskId)).toEqual([lastValidTaskId]);
  }, 900_000);

  it('for 10,000 invalid stops with a valid key, which never reach the upstream', async () => {
    const invalid = fc.oneof(
      // Ambiguous framing.
      fc
        .constantFrom(
          'Content-Length: 0\r\nContent-Length: 5',
          'Content-Length: 5\r\nTransfer-Encoding: chunked',
          'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
          'Transfer-Encoding: chunked, identity',
          'Transfer-Encoding: xchunked',
          'Transfer-Encoding\t: chunked',
          'Content-Length: +0',
          'Content-Length: 0x0',
          'A: b\r\n folded',
          'A: b\nC: d',
          'A: b\rC: d',
          'A\0: b',
          ': b',
          'Host: y',
        )
        .map((lines) => ['/ingest-tasks/invalid', lines]),
      // An invalid task id or query.
      fc
        .constantFrom(
          '%00',
          '%0a',
          '%ZZ',
          '%C0%AF',
          '',
          'a b',
          '\u00e4',
          '?force=1',
          '?sdkAppId=0',
          '?region=moon',
        )
        .chain((end) => token.map((id) => [`/ingest-tasks/${end === '' ? '' : id}${end}`, 'A: b'])),
      // Another path.
      fc
        .constantFrom(
          '//ingest-tasks/a',
          '/../ingest-tasks/a',
          '/x/%2e%2e/ingest-tasks/a',
          '/ingest-tasks/a/b',
          '/Ingest-Tasks/a',
        )
        .map((path) => [path, 'A: b']),
    );
    const text = fc
      .tuple(invalid, fc.array(fc.tuple(token, token), { maxLength: 3 }))
      .map(([[path, lines], others]) => {
        const more = others.map(([name, value]) => `X-${name}: ${value}\r\n`).join('');
        return `DELETE ${path} HTTP/1.1\r\nHost: x\r\n${AUTHORIZED[0]}\r\n${more}${lines}\r\n\r\n`;
      });
    await expectNoViolation(text.map(latin1), 10_000);
    expect(sandbox.receivedRequests().map(({ taskId }) => taskId)).toEqual([lastValidTaskId]);
  }, 900_000);

  it('for 15,000 corrupted requests with a valid key', async () => {
    await expectNoViolation(corrupted(request(AUTHORIZED)), 15_000);
  }, 900_000);
});
