import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc, { type Arbitrary } from 'fast-check';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { bearerHeader, callerEntry, createTempFolder } from '../../support/callers-file.js';
import { stopTask } from '../../support/client.js';
import { variablesFor } from '../../support/gateway.js';
import { GatewayProcess } from '../../support/process.js';

const KEY = 'igw_the-right-key';

/** Requests that are sent side by side, each on a connection of its own. */
const BATCH = 250;

/** Who has neither been answered nor refused after so long is waited for by the gateway itself: enough is known. */
const QUIET_MS = 60;

/** Ends a connection whose input was a whole request, or would be one with an empty line more. */
const AFTERWARDS = '\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

let sandbox: Sandbox;
let gateway: GatewayProcess;
let url: string;
let folder: Awaited<ReturnType<typeof createTempFolder>>;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 100_000 });
  folder = await createTempFolder();
  const callers = join(folder.path, 'callers.json');
  await writeFile(callers, JSON.stringify([callerEntry('fuzzer', KEY)]));
  gateway = new GatewayProcess({
    ...variablesFor(sandbox),
    TRTC_ENDPOINT: sandbox.httpUrl,
    ALLOW_ANONYMOUS: '',
    CALLERS_FILE: callers,
    QUOTA_PER_SECOND: '1000',
    LOG_LEVEL: 'info',
    SHUTDOWN_GRACE_MS: '1000',
  });
  url = await gateway.url();
});

afterAll(async () => {
  gateway.kill('SIGTERM');
  const { code, stderr } = await gateway.finished;
  await sandbox.close();
  await folder.remove();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

beforeEach(() => sandbox.clearReceivedRequests());

function exchange(input: Uint8Array): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let response = '';
    socket.setTimeout(QUIET_MS, () => socket.resetAndDestroy());
    socket.on('data', (chunk: Buffer) => (response += chunk.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => resolve(response));
    socket.write(input);
    socket.write(AFTERWARDS);
  });
}

/** A task of its own each time: of one that has ended, the cloud is not asked again. */
let lastGoodCall = '';
let goodCalls = 0;
const goodCall = (): string => (lastGoodCall = `a-good-call-${(goodCalls += 1)}`);

/** What an answer is not, that it ought to be; nothing when all is well. */
function contractViolation(response: string): string | undefined {
  const statuses = [...response.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
  const rejections = statuses.filter((status) => status >= 400).length;
  const problems = response.match(/content-type: application\/problem\+json/gi) ?? [];
  if (statuses.some((status) => status >= 500)) return 'a status of 500 or more';
  if (problems.length !== rejections) return `${rejections} refusals with ${problems.length} problems`;
  return response === '' || response.startsWith('HTTP/1.1 ') ? undefined : 'no answer of HTTP/1.1';
}

/** Bytes as they can be read in a log, and put into a test. */
const shown = (bytes: string): string => JSON.stringify(bytes.replaceAll(KEY, '<key>'));

/** Sends so many inputs, and looks at every answer. */
async function fuzz(input: Arbitrary<Uint8Array>, inputs: number): Promise<void> {
  const batch = fc.array(input, { minLength: BATCH, maxLength: BATCH });
  const { failed, seed, errorInstance } = await fc.check(
    fc.asyncProperty(batch, async (all) => {
      const responses = await Promise.all(all.map(exchange));
      for (const [at, response] of responses.entries()) {
        const error = contractViolation(response);
        if (error === undefined) continue;
        const sent = Buffer.from(all[at]!).toString('latin1');
        throw new Error(`${error}\nsent:     ${shown(sent)}\nanswered: ${shown(response)}`);
      }
    }),
    { numRuns: inputs / BATCH, endOnFailure: true },
  );
  // The report of fast-check itself would hold the whole batch.
  if (failed) throw new Error(`seed ${seed}: ${(errorInstance as Error).message}`);
  // It is still there, and answers a good caller.
  expect((await stopTask(url, goodCall(), '', bearerHeader(KEY))).status).toBe(200);
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

/** A request as it ought to be, or nearly, with the lines given among its headers. */
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

/** Some bytes replaced, doubled, dropped or put in. */
const corrupted = (text: Arbitrary<string>): Arbitrary<Uint8Array> =>
  fc
    .tuple(
      text,
      fc.array(
        fc.tuple(fc.nat(), fc.constantFrom('replace', 'double', 'drop', 'insert'), fc.nat({ max: 255 })),
        {
          maxLength: 3,
        },
      ),
    )
    .map(([whole, corruptions]) => {
      const bytes = [...latin1(whole)];
      for (const [place, how, byte] of corruptions) {
        const at = place % (bytes.length + 1);
        if (how === 'replace') bytes[at] = byte;
        if (how === 'double') bytes.splice(at, 0, ...bytes.slice(at, at + 40));
        if (how === 'drop') bytes.splice(at, 1 + (byte % 20));
        if (how === 'insert') bytes.splice(at, 0, byte);
      }
      return Uint8Array.from(bytes);
    });

const AUTHORIZED = [`Authorization: Bearer ${KEY}`];

describe('raw bytes do no harm: no crash, no 5xx, and every refusal is a problem', () => {
  it('10,000 inputs of any bytes', async () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), anyText.map(latin1));
    await fuzz(bytes, 10_000);
    expect(sandbox.receivedRequests().map(({ taskId }) => taskId)).toEqual([lastGoodCall]);
  }, 900_000);

  it('15,000 requests without a valid key, of which nothing reaches the cloud', async () => {
    const wrong = fc.oneof(
      fc.constant([]),
      token.map((key) => [`Authorization: Bearer igw_wrong${key}`]),
      anyText.map((text) => [`Authorization: ${text}`]),
    );
    await fuzz(corrupted(wrong.chain(request)), 15_000);
    expect(sandbox.receivedRequests().map(({ taskId }) => taskId)).toEqual([lastGoodCall]);
  }, 900_000);

  it('10,000 stops with a valid key that are invalid, of which nothing reaches the cloud', async () => {
    const invalid = fc.oneof(
      // What two readers may read differently.
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
      // What is no task id, and no query.
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
      // What is not this path.
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
    await fuzz(text.map(latin1), 10_000);
    expect(sandbox.receivedRequests().map(({ taskId }) => taskId)).toEqual([lastGoodCall]);
  }, 900_000);

  it('15,000 requests with a valid key, damaged', async () => {
    await fuzz(corrupted(request(AUTHORIZED)), 15_000);
  }, 900_000);
});
