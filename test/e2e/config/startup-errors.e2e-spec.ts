import { execFile, execFileSync } from 'node:child_process';
import { copyFile, cp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { gatewayEnvironment } from '../../support/environment.js';
import { listen } from '../../support/free-port.js';
import { type ExitResult, GatewayProcess } from '../../support/process.js';
import { RedisProcess } from '../../support/redis.js';
import { sandboxFixture, tempFolderFixture } from '../../support/fixtures.js';

// The tests start several processes in sequence, which is slow on a busy machine.
jest.setTimeout(180_000);

const sandbox = await sandboxFixture({ acceptUnknownTasks: true });
const folder = await tempFolderFixture();
const fifo = join(folder, 'fifo');
execFileSync('mkfifo', [fifo]);

const variables = (): Record<string, string> => ({
  ...gatewayEnvironment(sandbox),
  TRTC_ENDPOINT: sandbox.httpUrl,
  SHUTDOWN_GRACE_MS: '500',
});

const startWith = (changes: Record<string, string>, runtime: string[] = []): Promise<ExitResult> =>
  new GatewayProcess({ ...variables(), ...changes }, runtime).finished;

/** Runs code in the gateway process before the gateway's code, to simulate errors that a test cannot cause. */
const preload = (code: string): string[] => ['--import', `data:text/javascript,${encodeURIComponent(code)}`];

describe('an invalid configuration exits with 78, and names the variable but never its value', () => {
  it.each([
    [
      'the region is unknown',
      { TRTC_REGION: 'eu-atlantis' },
      'TRTC_REGION must be one of ap-bangkok, ap-jakarta, ap-mumbai, ap-singapore',
    ],
    [
      'a file does not exist',
      { ALLOW_ANONYMOUS: '', CALLERS_FILE: '/nowhere/eu-atlantis' },
      'CALLERS_FILE: cannot be read (ENOENT): there is no such file; a relative path starts in the folder where the gateway was started',
    ],
    [
      'a file is a directory',
      { ALLOW_ANONYMOUS: '', CALLERS_FILE: '/tmp' },
      'CALLERS_FILE: cannot be read (EISDIR): it is a directory',
    ],
    [
      'a file is a FIFO that nobody writes to',
      { TENCENTCLOUD_SECRET_KEY: '', TENCENTCLOUD_SECRET_KEY_FILE: fifo },
      'TENCENTCLOUD_SECRET_KEY_FILE cannot be read (NOT_A_REGULAR_FILE): it is a FIFO or a device',
    ],
    ['a file is not JSON', { ALLOW_ANONYMOUS: '', CALLERS_FILE: 'LICENSE' }, 'CALLERS_FILE: is not JSON'],
    [
      'a _FILE variable contains the secret itself',
      { TENCENTCLOUD_SECRET_KEY: '', TENCENTCLOUD_SECRET_KEY_FILE: 'eu-atlantis' },
      'TENCENTCLOUD_SECRET_KEY_FILE cannot be read (ENOENT): there is no such file',
    ],
    [
      'the password in REDIS_URL has a raw percent sign',
      { REDIS_URL: 'redis://:100%eu-atlantis@127.0.0.1' },
      'REDIS_URL must be such as redis://:password@redis.internal/0',
    ],
    [
      'HOST is not an IPv6 address',
      { HOST: '::eu-atlantis' },
      'HOST must be an address to listen on, such as 0.0.0.0 or ::',
    ],
    [
      'the port of UPSTREAM_PROXY is 0',
      { UPSTREAM_PROXY: 'http://eu-atlantis:0' },
      'UPSTREAM_PROXY must be an http origin without a user and a path, such as http://proxy.internal:3128',
    ],
    [
      'neither CALLERS_FILE nor ALLOW_ANONYMOUS is set',
      { ALLOW_ANONYMOUS: '' },
      'CALLERS_FILE is missing (or ALLOW_ANONYMOUS=true: the gateway does not start without authentication by accident)',
    ],
  ])('when %s', async (_, changes, error) => {
    const { code, stdout, stderr } = await startWith(changes);
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toContain('The configuration has an error:\n');
    expect(stderr).toContain(`  - ${error}`);
    expect(stderr).toContain('See the section "Configuration" of the README.');
    expect(stderr).not.toContain('eu-atlantis');
  });
});

const expectStartupError = async (finished: Promise<ExitResult>, line: string): Promise<void> => {
  const { code, stdout, stderr } = await finished;
  expect({ code, stderr }).toEqual({ code: 1, stderr: `${line}\n` });
  expect(stdout).not.toMatch(/"level":"(warn|error|fatal)"/);
};

describe('a startup error exits with 1 and one line with the resolution', () => {
  it('when the port is in use', async () => {
    const other = createServer();
    const port = await listen(other);
    await expectStartupError(
      startWith({ PORT: String(port) }),
      `port ${port} of 127.0.0.1 is in use: choose another with PORT, or stop the program that listens there`,
    );
    other.close();
  });

  // The user of the tests may have the permission, so the error is simulated.
  const FORBIDDEN_PORT = `import net from 'node:net';
    net.Server.prototype.listen = function () {
      const fields = { code: 'EACCES', syscall: 'listen', address: '127.0.0.1', port: 80 };
      process.nextTick(() => this.emit('error', Object.assign(new Error('listen EACCES'), fields)));
      return this;
    };`;
  const OLD_NODE = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.1' } });`;

  it.each([
    [
      'the user has no permission to listen on the port',
      { PORT: '80' },
      FORBIDDEN_PORT,
      'this user has no permission to listen on port 80: set PORT to 1024 or higher',
    ],
    [
      'HOST is not an address of this machine',
      { HOST: '192.0.2.1' },
      '',
      'HOST is not an address of this machine: use 0.0.0.0 for all its addresses, or 127.0.0.1 for loopback only',
    ],
    [
      'HOST is a name that does not resolve',
      { HOST: 'gateway.invalid' },
      '',
      'HOST is a name that does not resolve: use an address of this machine, such as 0.0.0.0 for all of them',
    ],
    [
      'Node.js is too old',
      {},
      OLD_NODE,
      'this is Node.js 20.11.1, and the gateway needs 24 or later: start it with "npm start", which uses the version that "npm ci" installed, or install a newer one',
    ],
  ])('when %s', async (_, changes, code, line) => {
    await expectStartupError(startWith(changes, preload(code)), line);
  });
});

/** Runs the build in a folder. */
const runBuild = async (folderPath: string): Promise<{ code: unknown; stderr: string }> =>
  new Promise((done) => {
    execFile(process.execPath, [join(folderPath, 'dist/gateway/main.js')], { env: {} }, (error, _, stderr) =>
      done({ code: error?.code, stderr }),
    );
  });

describe('an incomplete installation', () => {
  it('reports an incomplete build', async () => {
    const copy = join(folder, 'copy');
    await cp('dist/gateway', join(copy, 'dist/gateway'), { recursive: true });
    await copyFile('package.json', join(copy, 'package.json'));
    for (const name of await readdir(join(copy, 'dist/gateway')))
      if (/^start-.*\.js$/.test(name)) await rm(join(copy, 'dist/gateway', name));
    expect(await runBuild(copy)).toEqual({
      code: 1,
      stderr: 'the build is incomplete: run "npm run build"\n',
    });
  });

  it('reports missing packages from npm scripts', async () => {
    const copy = join(folder, 'fresh');
    for (const name of ['package.json', 'build.mjs', 'link-node.mjs']) await cp(name, join(copy, name));
    const stderr = await new Promise<string>((done) => {
      execFile('npm', ['start'], { cwd: copy }, (_error, _stdout, text) => done(text));
    });
    expect(stderr).toContain('Nothing is installed yet: run "npm ci" first.\n');
  });
});

const logEntryOf = async (gateway: GatewayProcess, event: string): Promise<Record<string, unknown>> => {
  await eventually(() => gateway.stdout.includes(`"event":"${event}"`));
  return JSON.parse(
    gateway.stdout.split('\n').find((line) => line.includes(`"event":"${event}"`))!,
  ) as Record<string, unknown>;
};

describe('a running gateway', () => {
  it('logs that Redis is unreachable or rejects the password', async () => {
    const unreachable = new GatewayProcess({ ...variables(), REDIS_URL: 'redis://:hunter2@127.0.0.1:9' });
    expect(await logEntryOf(unreachable, 'quota-redis-disconnected')).toMatchObject({
      level: 'warn',
      reason: 'ECONNREFUSED',
      msg: expect.stringMatching(/^Redis is unavailable: /),
    });
    expect((await logEntryOf(unreachable, 'server-started'))['store']).toBe('Redis at 127.0.0.1:9');
    expect(unreachable.stdout).not.toContain('hunter2');
    unreachable.kill('SIGKILL');

    const redis = await RedisProcess.start('--requirepass', 'right');
    const { port } = new URL(redis.url);
    const unauthenticated = new GatewayProcess({
      ...variables(),
      REDIS_URL: `redis://:wrong@127.0.0.1:${port}`,
    });
    expect((await logEntryOf(unauthenticated, 'quota-redis-disconnected'))['reason']).toBe('WRONGPASS');
    expect(unauthenticated.stderr).toBe('');
    unauthenticated.kill('SIGKILL');
    await redis.close();
  });
});

describe('a gateway that starts', () => {
  it('logs one entry with URL, endpoint, region, quota, store and callers, and no secret', async () => {
    const gateway = new GatewayProcess({ ...variables(), QUOTA_PER_SECOND: '7' });
    const url = await gateway.url();
    const entries = gateway.stdout.split('\n').filter((line) => line.includes('"event":"server-started"'));
    expect(entries.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        event: 'server-started',
        url,
        endpoint: sandbox.httpUrl,
        region: 'ap-singapore',
        quotaPerSecond: 7,
        store: 'this process',
        callers: 'anonymous',
        msg: `listening on ${url}, endpoint ${sandbox.httpUrl}, region ap-singapore, quota 7 per second in this process, callers anonymous`,
      },
    ]);
    gateway.kill('SIGKILL');
  });
  it.each([
    ['0.0.0.0', 'http://0.0.0.0:'],
    ['::', 'http://[::]:'],
  ])('logs the address %s on which it listens, and only the origin of the collector', async (HOST, url) => {
    const gateway = new GatewayProcess({
      ...variables(),
      HOST,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9/a-secret-token/',
    });
    await gateway.url();
    const line = gateway.stdout.split('\n').find((text) => text.includes('"event":"server-started"'));
    const entry = JSON.parse(line!) as Record<string, unknown>;
    expect(entry['url']).toMatch(/^http.*:\d+$/);
    expect(String(entry['url']).startsWith(url)).toBe(true);
    expect(entry['traces']).toBe('http://127.0.0.1:9');
    expect((await gateway.stop()).stdout).not.toContain('a-secret-token');
  });
});

describe('a gateway in production', () => {
  it('does not start with variables of Node.js that disclose secrets, and names each of them', async () => {
    const { code, stderr } = await startWith({
      NODE_ENV: 'production',
      NODE_DEBUG: 'fs,tls',
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      SSLKEYLOGFILE: join(folder, 'keys'),
      NODE_OPTIONS: '--report-on-signal --insecure_http_parser',
    });
    expect(code).toBe(78);
    for (const name of ['NODE_DEBUG', 'NODE_TLS_REJECT_UNAUTHORIZED', 'SSLKEYLOGFILE'])
      expect(stderr).toContain(`- ${name} must not have this value in production`);
    expect(stderr).toContain('- NODE_OPTIONS must not contain --report-on-signal in production');
    expect(stderr).toContain('- NODE_OPTIONS must not contain --insecure-http-parser in production');
    expect(stderr).toContain('5 errors');
  });

  it('does not start with such options in the start command, and names each of them without its value', async () => {
    const keys = join(folder, 'tls-keys');
    const options = ['--inspect=127.0.0.1:0', '--report_on_signal', `--tls-keylog=${keys}`, '--tls-min-v1.0'];
    const { code, stderr } = await startWith({ NODE_ENV: 'production' }, options);
    expect(code).toBe(78);
    for (const name of ['--inspect', '--report-on-signal', '--tls-keylog', '--tls-min-v1.0'])
      expect(stderr).toContain(`- the start command must not contain ${name} in production: `);
    expect(stderr).toContain('4 errors');
    expect(stderr).not.toContain(keys);
  });

  it('starts with such options when NODE_ENV is not production', async () => {
    const gateway = new GatewayProcess(variables(), ['--report-on-signal']);
    expect(await gateway.url()).toContain('http://');
    gateway.kill('SIGTERM');
    expect((await gateway.finished).code).toBe(0);
  });

  it('starts no debugger on SIGUSR1, and keeps no secret in process.env', async () => {
    const secret = variables()['TENCENTCLOUD_SECRET_KEY']!;
    const report = preload(
      "process.on('SIGUSR2', () => process.stderr.write(JSON.stringify(process.report.getReport().environmentVariables) + '\\n'));",
    );
    const gateway = new GatewayProcess({ ...variables(), NODE_ENV: 'production' }, report);
    await gateway.url();
    gateway.kill('SIGUSR1');
    gateway.kill('SIGUSR2');
    await eventually(() => gateway.stderr.includes('TRTC_SDK_APP_ID'));
    expect(gateway.stderr).not.toContain(secret);
    expect(gateway.stderr).not.toContain('Debugger');
    gateway.kill('SIGTERM');
    expect((await gateway.finished).code).toBe(0);
  });
});
