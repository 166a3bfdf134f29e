import { afterEach, describe, expect, it } from '@jest/globals';
import { Agent, type ClientRequestArgs } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { CommonClient } from 'tencentcloud-sdk-nodejs-common/tencentcloud/common/common_client.js';
import { startSandbox, type Sandbox, type SandboxOptions } from './sandbox.js';
import { bodyOf, codeIn, exchange, open, stop, until, wireStop } from './testing/raw-client.js';
import { HOST, SDK_APP_ID } from './testing/signed-stop.js';

const RUNNING = { sdkAppId: SDK_APP_ID, taskId: 'task-1', status: 'running' } as const;
const sandboxes: Sandbox[] = [];

async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options);
  sandboxes.push(sandbox);
  return sandbox;
}

afterEach(async () => {
  await Promise.all(sandboxes.splice(0).map((sandbox) => sandbox.close()));
});

/** Connects to the sandbox for any host, so that the Host header is the name that the SDK signs. */
class RedirectingAgent extends Agent {
  constructor(private readonly dial: () => Socket) {
    super();
  }

  override createConnection(_options: ClientRequestArgs): Duplex {
    return this.dial();
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

function officialClient(sandbox: Sandbox, protocol: 'http:' | 'https:'): CommonClient {
  const agent =
    protocol === 'http:'
      ? new RedirectingAgent(() => connect(portOf(sandbox.httpUrl), '127.0.0.1'))
      : new RedirectingAgent(() =>
          connectTls({ port: portOf(sandbox.httpsUrl), host: '127.0.0.1', servername: HOST, ca: sandbox.ca }),
        );
  if (protocol === 'https:') Object.assign(agent, { protocol });
  return new CommonClient(HOST, '2019-07-22', {
    credential: { ...sandbox.credentials[0]! },
    region: 'ap-singapore',
    profile: { httpProfile: { protocol: `${protocol}//`, agent } },
  });
}

describe.each(['http:', 'https:'] as const)('the official SDK over %s', (protocol) => {
  it('stops a task', async () => {
    const sandbox = await start({ tasks: [RUNNING] });
    const response: unknown = await officialClient(sandbox, protocol).request('StopStreamIngest', {
      SdkAppId: SDK_APP_ID,
      TaskId: RUNNING.taskId,
    });
    expect(response).toEqual({ RequestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(sandbox.tasks()).toEqual([{ ...RUNNING, status: 'finished' }]);
    expect(sandbox.receivedRequests()).toMatchObject([
      { tls: protocol === 'https:', headers: { host: HOST } },
    ]);
    expect(sandbox.state().statistics).toEqual({
      stopCalls: 1,
      peakPerSecond: 1,
      signatures: { verified: 1, rejected: 0 },
      responses: { OK: 1 },
    });
  });
});

describe('a response', () => {
  it('has Date, Content-Type and the trace id of the request', async () => {
    const sandbox = await start({
      tasks: [RUNNING],
      now: () => Date.UTC(2030, 0, 1),
      clockOffsetSeconds: 60,
    });
    const timestamp = Date.UTC(2030, 0, 1) / 1000;
    const bytes = wireStop(
      sandbox,
      { timestamp },
      { 'X-TC-TraceId': 'ffe0c072-8a5d-4e17-8887-a8a60252abca' },
    );
    const { text } = await exchange(await open(sandbox), bytes);
    expect(codeIn({ text })).toBe('OK');
    expect(text).toContain('\r\nDate: Tue, 01 Jan 2030 00:01:00 GMT\r\n');
    expect(text).toContain('\r\nContent-Type: application/json\r\n');
    expect(text).toContain('\r\nX-TC-TraceId: ffe0c072-8a5d-4e17-8887-a8a60252abca\r\n');
  });

  it.each(['GET / HTTP/1.1', 'POST /v2 HTTP/1.1', 'POST /?a=1 HTTP/1.1', 'DELETE / HTTP/1.1'])(
    'to %s is a 404 page of the edge',
    async (line) => {
      const sandbox = await start();
      const { text } = await exchange(
        await open(sandbox),
        `${line}\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`,
      );
      expect(text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
      expect(text).toContain('\r\nContent-Type: text/html\r\n');
      expect(bodyOf(text)).toContain('<h1>404 Not Found</h1>');
      expect(sandbox.receivedRequests()).toMatchObject([{ responseCode: 'http-404' }]);
    },
  );

  it('is RequestSizeLimitExceeded for a body over 10 MB', async () => {
    const sandbox = await start();
    const response = await stop(sandbox, { body: ' '.repeat(10 * 1024 * 1024 + 1) });
    expect(codeIn(response)).toBe('RequestSizeLimitExceeded');
  });
});

describe('the quota', () => {
  it('rejects the 21st call in any one-second window and counts rejected calls as well', async () => {
    let time = 0;
    const sandbox = await start({ acceptUnknownTasks: true, monotonic: () => time });
    const call = async (at: number): Promise<string> => {
      time = at;
      sandbox.putTask(RUNNING);
      return codeIn(await stop(sandbox));
    };
    for (let i = 0; i < 20; i += 1) expect(await call(i)).toBe('OK');
    expect(await call(999)).toBe('RequestLimitExceeded');
    expect(sandbox.tasks()).toEqual([RUNNING]);
    expect(await call(1000)).toBe('RequestLimitExceeded');
    expect(await call(1001)).toBe('RequestLimitExceeded');
    expect(await call(1003)).toBe('OK');
    expect(sandbox.state().statistics).toMatchObject({ stopCalls: 24, peakPerSecond: 21 });
  });

  it('has the configured size', async () => {
    const sandbox = await start({ acceptUnknownTasks: true, monotonic: () => 0, quotaPerSecond: 1 });
    expect(codeIn(await stop(sandbox, { taskId: 'a' }))).toBe('OK');
    expect(codeIn(await stop(sandbox, { taskId: 'b' }))).toBe('RequestLimitExceeded');
    sandbox.setSettings({ quotaPerSecond: 3 });
    expect(codeIn(await stop(sandbox, { taskId: 'c' }))).toBe('OK');
  });
});

describe('the network', () => {
  it('delays the request and the response by their own delays', async () => {
    const sandbox = await start({
      tasks: [RUNNING],
      random: () => 0.5,
      delays: { request: { minMs: 0, maxMs: 80 }, response: { minMs: 20, maxMs: 100 } },
    });
    // Timers fire in the order in which they are due, however late a busy machine makes them.
    const [requestDelay, responseDelay] = [sleep(39, 'request delayed'), sleep(98, 'response delayed')];
    const response = stop(sandbox);
    expect(await Promise.race([response, requestDelay])).toBe('request delayed');
    expect(sandbox.receivedRequests()).toEqual([]);
    expect(await Promise.race([response, responseDelay])).toBe('response delayed');
    expect(codeIn(await response)).toBe('OK');
    expect(sandbox.receivedRequests()).toHaveLength(1);
  });

  it('delivers a request whose client has disconnected', async () => {
    const sandbox = await start({
      tasks: [RUNNING],
      delays: { request: { minMs: 50, maxMs: 50 }, response: { minMs: 0, maxMs: 0 } },
    });
    const socket = await open(sandbox);
    socket.write(wireStop(sandbox), () => socket.destroy());
    await until(() => sandbox.tasks()[0]?.status === 'finished');
    expect(sandbox.receivedRequests()).toMatchObject([{ taskId: RUNNING.taskId, responseCode: 'OK' }]);
  });
});

function listeners(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'TCPServerWrap').length;
}

describe('startSandbox', () => {
  it('generates new credentials at each start', async () => {
    const [one, other] = [await start(), await start()];
    expect(one.credentials).toEqual([
      {
        secretId: expect.stringMatching(/^AKIDdemo\w{28}$/),
        secretKey: expect.stringMatching(/^demo\w{28}$/),
      },
    ]);
    expect(one.credentials).not.toEqual(other.credentials);
  });

  it('rejects when a port is in use and leaves no port open', async () => {
    const first = await start();
    const controlPort = portOf(first.controlUrl);
    await expect(startSandbox({ controlPort })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      port: controlPort,
    });
    // The listeners of `first` remain; a handle disappears shortly after its port.
    await until(() => listeners() === 3);
  });

  it('closes idle connections and those with a pending response', async () => {
    const sandbox = await start({ acceptUnknownTasks: true });
    sandbox.setFaults([{ fault: { kind: 'slow', ms: 3_600_000 }, times: 1 }]);
    const slow = stop(sandbox);
    const idle = exchange(await open(sandbox, true), '');
    await until(() => sandbox.receivedRequests().length === 1);
    await sandbox.close();
    expect([(await slow).text, (await idle).text]).toEqual(['', '']);
  });
});

describe('the list of received requests', () => {
  it('keeps the latest 10,000 and numbers the connections', async () => {
    const sandbox = await start();
    const request = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
    const last = `GET /last HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`;
    await exchange(await open(sandbox), request.repeat(10_000) + last);
    const received = sandbox.receivedRequests();
    expect(received).toHaveLength(10_000);
    expect(received.at(-1)).toMatchObject({ path: '/last', connection: 1 });
    await exchange(await open(sandbox), last);
    expect(sandbox.receivedRequests().at(-1)).toMatchObject({ connection: 2 });
  });
});
