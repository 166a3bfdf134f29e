import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RouteTable } from '../../../apps/gateway/src/http/route-table.js';
import { ROUTES } from '../../contract/routes.js';
import { bearerHeader, callerEntry } from '../../support/callers-file.js';
import { replaceFileAtomically } from '../../support/temp-folder.js';
import { type HttpResponse, send, stopTask } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { gatewayEnvironment } from '../../support/environment.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { readMetric } from '../../support/metrics.js';
import { GatewayProcess } from '../../support/process.js';
import { sandboxFixture, tempFolderFixture } from '../../support/fixtures.js';

const ROOM_KEY = 'igw_room-service-key';
const ROOM_NEXT_KEY = 'igw_room-service-next-key';
const STUDIO_KEY = 'igw_studio-key';
const WRONG_KEY = 'igw_room-service-keY';

const CALLERS = [
  callerEntry('room-service', ROOM_KEY),
  callerEntry('room-service', ROOM_NEXT_KEY),
  callerEntry('studio', STUDIO_KEY, [1400000001]),
];

const sandbox = await sandboxFixture({
  acceptUnknownTasks: true,
  quotaPerSecond: 1000,
  sdkAppIds: [1400000001, 1400000002],
});
const folder = await tempFolderFixture();

beforeEach(() => sandbox.clearReceivedRequests());

const gatewayWith = (callersFile: string): Promise<Gateway> =>
  startGateway(sandbox, { ALLOW_ANONYMOUS: '', CALLERS_FILE: callersFile, QUOTA_PER_SECOND: '1000' });

const isAccepted = async (gateway: Gateway, key: string): Promise<boolean> =>
  (await stopTask(gateway.url, 'x', '', bearerHeader(key))).status === 200;

const startWith = (variables: Record<string, string>) =>
  new GatewayProcess({ ...gatewayEnvironment(sandbox), ALLOW_ANONYMOUS: '', ...variables }).finished;

async function expectOnlySecondCaller(gateway: Gateway): Promise<void> {
  await eventually(() => isAccepted(gateway, 'key-2'));
  expect(await isAccepted(gateway, 'key-1')).toBe(false);
  expect(
    await readMetric(
      gateway.url,
      'ingest_gateway_stop_requests_total{caller="second",result="upstream-timeout"}',
    ),
  ).toBe(0);
}

function expectUnauthenticated({ status, headers, body }: HttpResponse): void {
  expect({ status, ...body }).toMatchObject({ status: 401, code: 'unauthenticated', outcome: 'not-sent' });
  expect(headers['content-type']).toBe('application/problem+json');
  expect(headers['www-authenticate']).toBe('Bearer');
  expect(headers).not.toHaveProperty('ratelimit');
  expect(headers).not.toHaveProperty('ratelimit-policy');
}

describe('a gateway with CALLERS_FILE', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    const file = join(folder, 'callers.json');
    await writeFile(file, JSON.stringify(CALLERS));
    gateway = await gatewayWith(file);
  });

  afterAll(() => gateway.close());

  it.each([
    ['its current key', ROOM_KEY],
    ['its next key', ROOM_NEXT_KEY],
  ])('accepts a caller with %s', async (_, key) => {
    const { status, headers } = await stopTask(gateway.url, 'a-task', '', bearerHeader(key));
    expect(status).toBe(200);
    expect(headers['ratelimit']).toMatch(/^"stop";/);
  });

  it.each([
    ['no key', {}],
    ['a wrong key', bearerHeader(WRONG_KEY)],
    ['the digest of a key', bearerHeader(String(CALLERS[0]!['keySha256']))],
    ['an empty key', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: `Basic ${ROOM_KEY}` }],
    ['a key with a suffix', { authorization: `Bearer ${ROOM_KEY} x` }],
  ])('returns 401 for %s, and sends nothing', async (_, headers) => {
    expectUnauthenticated(await send(gateway.url, '/ingest-tasks/a-task', { headers }));
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it.each([
    ['an empty id', 'DELETE', '/ingest-tasks/', 400],
    ['an id that is too long', 'DELETE', `/ingest-tasks/${'x'.repeat(300)}`, 400],
    ['an id that cannot be decoded', 'DELETE', '/ingest-tasks/%ZZ', 400],
    ['an unknown query parameter', 'DELETE', '/ingest-tasks/x?a=b', 400],
    ['a wrong method', 'POST', '/ingest-tasks/x', 405],
  ])('authenticates before it rejects %s', async (_, method, path, status) => {
    expectUnauthenticated(await send(gateway.url, path, { method }));
    const allowed = await send(gateway.url, path, { method, headers: bearerHeader(ROOM_KEY) });
    expect(allowed.status).toBe(status);
  });

  it('authenticates before it reads the body', async () => {
    expectUnauthenticated(await send(gateway.url, '/ingest-tasks/x', { body: 'x'.repeat(100_000) }));
  });

  it('returns 403 for an SdkAppId that the caller may not use, after validation, and sends nothing', async () => {
    expect(await stopTask(gateway.url, 'a', '?sdkAppId=1400000002', bearerHeader(STUDIO_KEY))).toMatchObject({
      status: 403,
      body: { code: 'sdk-app-id-not-allowed', outcome: 'not-sent' },
    });
    expect(
      (await stopTask(gateway.url, 'a', '?sdkAppId=1400000002&a=b', bearerHeader(STUDIO_KEY))).status,
    ).toBe(400);
    expect(sandbox.receivedRequests()).toEqual([]);
    expect((await stopTask(gateway.url, 'a', '', bearerHeader(STUDIO_KEY))).status).toBe(200);
    expect((await stopTask(gateway.url, 'a', '?sdkAppId=1400000002', bearerHeader(ROOM_KEY))).status).toBe(
      200,
    );
  });

  it('logs and counts the caller, and logs the address of an unknown caller', async () => {
    const stopCount = (name: string, result: string): Promise<number> =>
      readMetric(gateway.url, `ingest_gateway_stop_requests_total{caller="${name}",result="${result}"}`);
    const before = [await stopCount('studio', 'stopped'), await stopCount('unknown', 'unauthenticated')];
    // The log leaves out entries of an address that has had ten rejections within a second.
    await sleep(1000);
    await stopTask(gateway.url, 'studio-task', '', bearerHeader(STUDIO_KEY));
    await stopTask(gateway.url, 'unauthenticated-task');
    expect(gateway.logs.slice(-2)).toMatchObject([
      { event: 'stop-completed', caller: 'studio', taskId: 'studio-task' },
      {
        event: 'stop-completed',
        caller: 'unknown',
        result: 'unauthenticated',
        status: 401,
        address: '127.0.0.1',
      },
    ]);
    expect([await stopCount('studio', 'stopped'), await stopCount('unknown', 'unauthenticated')]).toEqual(
      before.map((count) => count + 1),
    );
    expect(await stopCount('room-service', 'upstream-timeout')).toBe(0);
    await expect(stopCount('anonymous', 'stopped')).rejects.toThrow('no series matches');
  });

  it('does not delay a valid key while the same address sends wrong keys', async () => {
    const guesses: Promise<HttpResponse>[] = [];
    const responded = { guesses: 0 };
    const agent = new http.Agent({ keepAlive: true });
    for (let n = 0; n < 40; n += 1)
      guesses.push(
        stopTask(gateway.url, 'guessed', '', bearerHeader(`igw_guess-${n}`)).finally(
          () => (responded.guesses += 1),
        ),
      );
    await eventually(() => responded.guesses >= 10);
    // Ten responses were not delayed or closed their connection. The other responses are delayed.
    for (let n = 0; n < 10; n += 1)
      expect(
        (await send(gateway.url, `/ingest-tasks/valid-${n}`, { headers: bearerHeader(ROOM_KEY), agent }))
          .status,
      ).toBe(200);
    agent.destroy();
    for (const response of await Promise.all(guesses)) expectUnauthenticated(response);
    expect(sandbox.receivedRequests().map(({ taskId }) => taskId)).not.toContain('guessed');
  });
});

describe('every route', () => {
  it('is in the contract, and requires a key unless it is public', async () => {
    const file = join(folder, 'routes.json');
    await writeFile(file, JSON.stringify(CALLERS));
    const gateway = await gatewayWith(file);
    const registered = ROUTES.flatMap(({ path, methods }) => methods.map((method) => `${method} ${path}`));
    expect(gateway.app.get(RouteTable).list().toSorted()).toEqual(registered.toSorted());
    for (const { path, methods, needsKey } of ROUTES) {
      const url = path.replaceAll(/:\w+/g, 'x');
      for (const method of methods) {
        const { status } = await send(gateway.url, url, { method });
        expect({ method, path, needsKey: status === 401 }).toEqual({ method, path, needsKey });
      }
      const other = await send(gateway.url, url, { method: 'PATCH', headers: bearerHeader(ROOM_KEY) });
      expect({ path, status: other.status, allow: other.headers['allow'] }).toEqual({
        path,
        status: 405,
        allow: methods.join(', '),
      });
    }
    await gateway.close();
  });
});

describe('CALLERS_FILE that changes while the gateway runs', () => {
  const FIRST = JSON.stringify([callerEntry('first', 'key-1')]);
  const SECOND = JSON.stringify([callerEntry('second', 'key-2')]);
  it.each([
    ['overwritten', (file: string) => writeFile(file, SECOND)],
    ['replaced atomically', (file: string) => replaceFileAtomically(file, SECOND)],
    [
      'removed and created',
      async (file: string) => {
        await rm(file);
        await writeFile(file, SECOND);
      },
    ],
  ])('is reloaded when it is %s', async (how, change) => {
    const file = join(folder, `${how}.json`);
    await writeFile(file, FIRST);
    const gateway = await gatewayWith(file);
    expect(await isAccepted(gateway, 'key-1')).toBe(true);
    await change(file);
    await expectOnlySecondCaller(gateway);
    await gateway.close();
  });

  it('is reloaded when Kubernetes replaces the folder', async () => {
    const mount = join(folder, 'mount');
    await mkdir(join(mount, '..v1'), { recursive: true });
    await mkdir(join(mount, '..v2'));
    await writeFile(join(mount, '..v1', 'callers.json'), FIRST);
    await writeFile(join(mount, '..v2', 'callers.json'), SECOND);
    await symlink('..v1', join(mount, '..data'));
    await symlink(join('..data', 'callers.json'), join(mount, 'callers.json'));
    const gateway = await gatewayWith(join(mount, 'callers.json'));
    expect(await isAccepted(gateway, 'key-1')).toBe(true);
    await symlink('..v2', join(mount, '..data_tmp'));
    await rename(join(mount, '..data_tmp'), join(mount, '..data'));
    await expectOnlySecondCaller(gateway);
    await gateway.close();
  });

  it('keeps the callers when it is invalid, logs and counts the failure, and loads the next valid content, even if it is the previous one', async () => {
    const file = join(folder, 'broken.json');
    await writeFile(file, FIRST);
    const gateway = await gatewayWith(file);
    await replaceFileAtomically(
      file,
      JSON.stringify([callerEntry('second', 'key-2'), { name: 'third', keySha256: 'key-3' }]),
    );
    await eventually(
      async () => (await readMetric(gateway.url, 'ingest_gateway_callers_reload_failures_total')) > 0,
    );
    expect(await isAccepted(gateway, 'key-1')).toBe(true);
    expect(await isAccepted(gateway, 'key-2')).toBe(false);
    expect(gateway.logs).toContainEqual(
      expect.objectContaining({
        event: 'callers-reload-failed',
        errors: ['entry 2 (third): keySha256 must be 64 hexadecimal digits'],
      }),
    );
    expect(JSON.stringify(gateway.logs)).not.toContain('key-3');
    await replaceFileAtomically(file, FIRST);
    await eventually(() => gateway.logs.some(({ event }) => event === 'callers-reloaded'));
    expect(await isAccepted(gateway, 'key-1')).toBe(true);
    await replaceFileAtomically(file, SECOND);
    await expectOnlySecondCaller(gateway);
    await gateway.close();
  });
});

describe('CALLERS_FILE that is replaced while the gateway runs', () => {
  it.each<[string, string, (path: string) => unknown]>([
    ['a FIFO', 'NOT_A_REGULAR_FILE', (path) => execFileSync('mkfifo', [path])],
    ['a directory', 'EISDIR', (path) => mkdir(path)],
    ['an endless device', 'NOT_A_REGULAR_FILE', (path) => symlink('/dev/zero', path)],
    ['a file that is too large', 'EFBIG', (path) => writeFile(path, ' '.repeat(5_000_000))],
  ])('by %s is reported, and the file that replaces that is loaded', async (kind, code, replace) => {
    const file = join(folder, `${kind}.json`);
    await writeFile(file, JSON.stringify([callerEntry('first', 'key-1')]));
    const gateway = await gatewayWith(file);
    gateway.logs.length = 0;
    const isSuccessful = () => readMetric(gateway.url, 'ingest_gateway_callers_last_reload_successful');
    expect(await isSuccessful()).toBe(1);
    await rm(file);
    await eventually(async () => (await isSuccessful()) === 0);
    await replace(file);
    await eventually(() =>
      gateway.logs.some(
        ({ event, errors }) =>
          event === 'callers-reload-failed' && JSON.stringify(errors).includes(`(${code})`),
      ),
    );
    expect(
      await readMetric(gateway.url, 'ingest_gateway_callers_reload_failures_total'),
    ).toBeGreaterThanOrEqual(2);
    await rm(file, { recursive: true });
    await writeFile(file, JSON.stringify([callerEntry('second', 'key-2')]));
    await expectOnlySecondCaller(gateway);
    expect(await isSuccessful()).toBe(1);
    await gateway.close();
  });
});

describe('a gateway that starts', () => {
  it('names each file that is a FIFO, instead of waiting for a writer', async () => {
    const fifo = join(folder, 'fifo-at-start');
    execFileSync('mkfifo', [fifo]);
    const { code, stderr } = await startWith({
      CALLERS_FILE: fifo,
      TENCENTCLOUD_SECRET_ID: '',
      TENCENTCLOUD_SECRET_ID_FILE: fifo,
    });
    expect(code).toBe(78);
    for (const name of ['CALLERS_FILE:', 'TENCENTCLOUD_SECRET_ID_FILE'])
      expect(stderr).toContain(`- ${name} cannot be read (NOT_A_REGULAR_FILE): it is a FIFO or a device`);
  });

  it('names every error of the file and of the environment at once', async () => {
    const file = join(folder, 'invalid.json');
    await writeFile(
      file,
      JSON.stringify([{ name: 'a', keySha256: ROOM_KEY }, callerEntry('b b', STUDIO_KEY)]),
    );
    const { code, stderr } = await startWith({ CALLERS_FILE: file, PORT: 'x' });
    expect(code).toBe(78);
    expect(stderr).toContain('3 errors');
    for (const error of ['PORT must', 'CALLERS_FILE: entry 1 (a): keySha256', 'CALLERS_FILE: entry 2: name'])
      expect(stderr).toContain(`- ${error}`);
    expect(stderr).not.toContain(ROOM_KEY);
    expect(stderr).not.toContain(String(callerEntry('b', STUDIO_KEY)['keySha256']));
  });
});

describe('CALLERS_FILE at start', () => {
  it('is read once, and once more after it has changed', async () => {
    const file = join(folder, 'read-once.json');
    await writeFile(file, JSON.stringify([callerEntry('first', 'key-1')]));
    const countReads = `
      import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      for (const [owner, name] of [[fs, 'openSync'], [fs.promises, 'open']]) {
        const read = owner[name];
        owner[name] = (path, ...rest) => {
          if (path === process.env.CALLERS_FILE) process.stderr.write('read;');
          return read(path, ...rest);
        };
      }
      syncBuiltinESMExports();`;
    const gateway = new GatewayProcess(
      { ...gatewayEnvironment(sandbox), ALLOW_ANONYMOUS: '', CALLERS_FILE: file },
      ['--import', `data:text/javascript,${encodeURIComponent(countReads)}`],
    );
    try {
      await gateway.url();
      expect(gateway.stderr).toBe('read;');
      await replaceFileAtomically(file, JSON.stringify([callerEntry('second', 'key-2')]));
      await eventually(() => gateway.stdout.includes('"callers-reloaded"'));
      expect(gateway.stderr).toBe('read;read;');
    } finally {
      gateway.kill('SIGKILL');
    }
  });
});
