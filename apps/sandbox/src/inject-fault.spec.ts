import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Fault, FaultRule } from './faults.js';
import { startSandbox, type Sandbox } from './sandbox.js';
import { bodyOf, codeIn, exchange, open, stop, until, wireStop } from './testing/raw-client.js';
import { SDK_APP_ID } from './testing/signed-stop.js';

const CUT_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: appl';

describe.each([
  ['HTTP', false],
  ['HTTPS', true],
])('a fault over %s', (_protocol, tls) => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = await startSandbox({ tasks: [{ sdkAppId: SDK_APP_ID, taskId: 'task-1', status: 'running' }] });
  });

  afterEach(() => sandbox.close());

  function next(fault: Fault, rest: Partial<FaultRule> = {}): void {
    sandbox.setFaults([{ fault, times: 1, ...rest }]);
  }

  function taskStatus(): string | undefined {
    return sandbox.tasks().find(({ taskId }) => taskId === 'task-1')?.status;
  }

  it('sends an error with HTTP 200 once, then the normal response', async () => {
    next({ kind: 'error', code: 'InternalError', message: 'Oops.' });
    const response = await stop(sandbox, { tls });
    expect(response.text).toMatch(/^HTTP\/1\.1 200 /);
    expect(bodyOf(response.text)).toContain('"Message":"Oops."');
    expect(codeIn(response)).toBe('InternalError');
    expect(codeIn(await stop(sandbox, { tls }))).toBe('OK');
  });

  it('sends an HTML page for a status fault', async () => {
    next({ kind: 'status', status: 502, headers: { 'Retry-After': '7' } });
    const { text } = await stop(sandbox, { tls });
    expect(text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(text).toContain('\r\nContent-Type: text/html\r\n');
    expect(text).toContain('\r\nRetry-After: 7\r\n');
    expect(bodyOf(text)).toContain('<h1>502 Bad Gateway</h1>');
  });

  it('sends exactly the bytes of a body fault', async () => {
    next({ kind: 'body', body: '{"Response":' });
    expect(bodyOf((await stop(sandbox, { tls })).text)).toBe('{"Response":');

    const zipped = gzipSync('{}');
    next({ kind: 'body', bodyBase64: zipped.toString('base64'), headers: { 'Content-Encoding': 'gzip' } });
    const { bytes } = await stop(sandbox, { tls });
    expect(bytes.subarray(-zipped.length)).toEqual(zipped);
  });

  it('sends nothing for a no-response fault until the sandbox closes', async () => {
    next({ kind: 'no-response' });
    const response = stop(sandbox, { tls });
    await until(() => sandbox.receivedRequests()[0]?.responseCode === 'fault-no-response');
    await sandbox.close();
    expect((await response).text).toBe('');
  });

  it.each([
    ['before-headers', /^$/],
    ['in-headers', new RegExp(`^${CUT_HEAD}$`)],
    ['in-body', /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n\{"Response":\{"RequestId":"[^"]+$/],
  ] as const)('sends RST for a reset and FIN for a close %s', async (at, sent) => {
    next({ kind: 'reset', at });
    const broken = await stop(sandbox, { tls });
    expect(broken.ending).toBe('ECONNRESET');
    expect(broken.text).toMatch(sent);

    next({ kind: 'close', at });
    const closed = await stop(sandbox, { tls });
    expect(closed.ending).toBe('FIN');
    expect(closed.text).toMatch(sent);
  });

  it('announces more bytes than it sends for a short-body fault', async () => {
    next({ kind: 'short-body' });
    const { text, ending } = await stop(sandbox, { tls });
    const announced = Number(/Content-Length: (\d+)/.exec(text)?.[1]);
    expect(ending).toBe('FIN');
    expect(announced).toBeGreaterThan(Buffer.byteLength(bodyOf(text)));
  });

  it.each(['headers', 'body'] as const)('sends the %s of a trickle fault byte by byte', async (part) => {
    next({ kind: 'trickle', part, everyMs: 3 });
    const socket = await open(sandbox, tls);
    let waits = 0;
    let ended = false;
    // Each wait of 2 ms begins no later than the fault's wait of 3 ms and ends before it, however late both are.
    const wait = async (): Promise<void> => {
      await sleep(2);
      waits += 1;
      if (!ended) await wait();
    };
    const waiting = wait();
    socket.write(wireStop(sandbox));
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      const length = /Content-Length: (\d+)\r\n/.exec(text)?.[1];
      if (length && bodyOf(text).length === Number(length)) break;
    }
    ended = true;
    await waiting;
    const trickled = part === 'headers' ? text.length : bodyOf(text).length;
    expect(waits).toBeGreaterThan(trickled - 1);
    expect(codeIn({ text })).toBe('OK');
    expect(taskStatus()).toBe('finished');
  });

  it('sends a huge body and stops when the client disconnects', async () => {
    next({ kind: 'huge', bytes: 3_000_000 });
    const { text } = await stop(sandbox, { tls });
    const chunks = bodyOf(text).replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, '');
    expect(chunks.trimEnd()).toHaveLength(3_000_000);
    expect(JSON.parse(chunks)).toMatchObject({
      Response: { RequestId: expect.stringMatching(/^x+$/) },
    });

    next({ kind: 'huge', bytes: 1e12 });
    const socket = await open(sandbox, tls);
    socket.write(wireStop(sandbox));
    await once(socket, 'data');
    socket.destroy();
    expect(codeIn(await stop(sandbox, { tls }))).toBe('OK');
  });

  const faultsBeforeStop: Fault[] = [
    { kind: 'error', code: 'InternalError' },
    { kind: 'status', status: 500 },
    { kind: 'body', body: '' },
    { kind: 'reset', at: 'before-headers' },
    { kind: 'close', at: 'in-body' },
    { kind: 'short-body' },
    { kind: 'huge', bytes: 10 },
  ];

  it.each(faultsBeforeStop)('stops the task of a $kind fault only with effect: after', async (fault) => {
    next(fault);
    await stop(sandbox, { tls });
    expect(taskStatus()).toBe('running');
    next(fault, { effect: 'after' });
    await stop(sandbox, { tls });
    expect(taskStatus()).toBe('finished');
  });
});

describe('fault injection', () => {
  const unknownCredentials = { secretId: 'AKIDother', secretKey: 'k'.repeat(32) };

  it('waits for a valid signature and does not hide an invalid one', async () => {
    const sandbox = await startSandbox({ acceptUnknownTasks: true });
    sandbox.setFaults([{ fault: { kind: 'error', code: 'InternalError' }, times: 1 }]);
    expect(codeIn(await stop(sandbox, { credentials: unknownCredentials }))).toBe(
      'AuthFailure.SecretIdNotFound',
    );
    expect(codeIn(await stop(sandbox))).toBe('InternalError');
    await sandbox.close();
  });

  it('injects a network fault despite an invalid signature and stops nothing', async () => {
    const sandbox = await startSandbox({ acceptUnknownTasks: true });
    sandbox.setFaults([{ fault: { kind: 'close', at: 'before-headers' }, times: 1, effect: 'after' }]);
    expect(await stop(sandbox, { credentials: unknownCredentials })).toMatchObject({
      text: '',
      ending: 'FIN',
    });
    expect(sandbox.tasks()).toEqual([]);
    expect(sandbox.state().statistics).toMatchObject({
      stopCalls: 1,
      signatures: { verified: 0, rejected: 1 },
    });
    await sandbox.close();
  });

  it('keeps the connection usable after a complete response', async () => {
    const sandbox = await startSandbox({ acceptUnknownTasks: true });
    sandbox.setFaults([{ fault: { kind: 'status', status: 503 }, times: 1 }]);
    const socket = await open(sandbox);
    socket.write(wireStop(sandbox, {}, { connection: 'keep-alive' }));
    await once(socket, 'data');
    const { text } = await exchange(socket, wireStop(sandbox));
    expect(codeIn({ text })).toBe('OK');
    expect(sandbox.receivedRequests().map(({ connection }) => connection)).toEqual([1, 1]);
    await sandbox.close();
  });
});
