import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, cp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { createTempFolder } from '../../support/callers-file.js';
import { stopTask } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { variablesFor } from '../../support/gateway.js';
import { type ExitResult, GatewayProcess } from '../../support/process.js';
import { RedisProcess } from '../../support/redis.js';

// Each test starts processes, several of them one after the other: on a busy machine each takes its time.
jest.setTimeout(180_000);

let sandbox: Sandbox;
let folder: Awaited<ReturnType<typeof createTempFolder>>;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
  folder = await createTempFolder();
  await writeFile(join(folder.path, 'text'), 'not JSON');
});

afterAll(async () => {
  await sandbox.close();
  await folder.remove();
});

const variables = (): Record<string, string> => ({
  ...variablesFor(sandbox),
  TRTC_ENDPOINT: sandbox.httpUrl,
  SHUTDOWN_GRACE_MS: '500',
});

const startWith = (changes: Record<string, string>, runtime: string[] = []): Promise<ExitResult> =>
  new GatewayProcess({ ...variables(), ...changes }, runtime).finished;

/** Runs code in the gateway's process before its own: for what a test cannot do to the machine. */
const before = (code: string): string[] => ['--import', `data:text/javascript,${encodeURIComponent(code)}`];

describe('a fault of the configuration: exit code 78, and what to do, by name and never by value', () => {
  it.each([
    ['a variable is missing', { TRTC_SDK_APP_ID: '' }, 'TRTC_SDK_APP_ID is missing'],
    [
      'the region is none',
      { TRTC_REGION: 'eu-atlantis' },
      'TRTC_REGION must be one of ap-bangkok, ap-jakarta, ap-mumbai, ap-singapore',
    ],
    [
      'the endpoint is plain http',
      { TRTC_ENDPOINT: 'http://cloud.example' },
      'TRTC_ENDPOINT must be an https origin without a path, such as https://host (plain http only to loopback)',
    ],
    [
      'a file is not there',
      { ALLOW_ANONYMOUS: '', CALLERS_FILE: '/nowhere/eu-atlantis' },
      'CALLERS_FILE: cannot be read (ENOENT): there is no such file; a relative path starts in the folder where the gateway was started',
    ],
    [
      'a file is a directory',
      { ALLOW_ANONYMOUS: '', CALLERS_FILE: '/tmp' },
      'CALLERS_FILE: cannot be read (EISDIR): it is a directory',
    ],
    [
      'a file holds something else',
      { ALLOW_ANONYMOUS: '', CALLERS_FILE: 'LICENSE' },
      'CALLERS_FILE: is not JSON',
    ],
    [
      'a secret is where its file should be',
      { TENCENTCLOUD_SECRET_KEY: '', TENCENTCLOUD_SECRET_KEY_FILE: 'eu-atlantis' },
      'TENCENTCLOUD_SECRET_KEY_FILE cannot be read (ENOENT): there is no such file',
    ],
    [
      'nobody has decided who may call',
      { ALLOW_ANONYMOUS: '' },
      'CALLERS_FILE is missing (or ALLOW_ANONYMOUS=true: the gateway does not start without authentication by accident)',
    ],
    [
      'both has been decided',
      { CALLERS_FILE: 'LICENSE' },
      'ALLOW_ANONYMOUS must not be true together with CALLERS_FILE',
    ],
    [
      'the URL of Redis is none',
      { REDIS_URL: 'eu-atlantis:6379' },
      'REDIS_URL must be redis:// or rediss://, such as redis://:password@redis.internal/0',
    ],
  ])('when %s', async (_, changes, fault) => {
    const { code, stdout, stderr } = await startWith(changes);
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toContain('The configuration has an error:\n');
    expect(stderr).toContain(`  - ${fault}`);
    expect(stderr).toContain('See the section "Configuration" of the README.');
    expect(stderr).not.toContain('eu-atlantis');
  });

  it('all of them at once', async () => {
    const { stderr } = await startWith({ TRTC_REGION: 'x', REDIS_URL: 'x', TRTC_SDK_APP_ID: '' });
    expect(stderr).toContain('The configuration has 3 errors:\n');
  });
});

const expectStartupError = async (finished: Promise<ExitResult>, line: string): Promise<void> => {
  const { code, stdout, stderr } = await finished;
  expect({ code, stderr }).toEqual({ code: 1, stderr: `${line}\n` });
  expect(stdout).not.toMatch(/"level":"(warn|error|fatal)"/);
};

describe('a machine that is not as it should be: one line that says what to do, and no stack', () => {
  it('when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expectStartupError(
      startWith({ PORT: String(port) }),
      `port ${port} of 127.0.0.1 is in use: choose another with PORT, or stop the program that listens there`,
    );
    other.close();
  });

  it('when the user may not listen on the port', async () => {
    // Whoever runs the tests may: so it is said in the system's place.
    const rejection = `import net from 'node:net';
      net.Server.prototype.listen = function () {
        const fault = { code: 'EACCES', syscall: 'listen', address: '127.0.0.1', port: 80 };
        process.nextTick(() => this.emit('error', Object.assign(new Error('listen EACCES'), fault)));
        return this;
      };`;
    await expectStartupError(
      startWith({ PORT: '80' }, before(rejection)),
      'this user has no permission to listen on port 80: set PORT to 1024 or higher',
    );
  });

  it('when HOST is not an address of this machine', async () => {
    await expectStartupError(
      startWith({ HOST: '192.0.2.1' }),
      'HOST is not an address of this machine: use 0.0.0.0 for all its addresses, or 127.0.0.1 for loopback only',
    );
  });

  it('when HOST is a name that does not resolve', async () => {
    await expectStartupError(
      startWith({ HOST: 'gateway.invalid' }),
      'HOST is a name that does not resolve: use an address of this machine, such as 0.0.0.0 for all of them',
    );
  });

  it('when Node.js is too old', async () => {
    const old = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.1' } });`;
    await expectStartupError(
      startWith({}, before(old)),
      'this is Node.js 20.11.1, and the gateway needs 24 or later: start it with "npm start", which ' +
        'uses the version that "npm ci" installed, or install a newer one',
    );
  });
});

/** A copy of the build, run as it is. */
const run = async (place: string): Promise<{ code: unknown; stderr: string }> =>
  new Promise((done) => {
    execFile(process.execPath, [join(place, 'dist/gateway/main.js')], { env: {} }, (error, _, stderr) =>
      done({ code: error?.code, stderr }),
    );
  });

describe('an installation that is not whole', () => {
  it('says that a part of the build is missing', async () => {
    const place = join(folder.path, 'copy');
    await cp('dist/gateway', join(place, 'dist/gateway'), { recursive: true });
    await copyFile('package.json', join(place, 'package.json'));
    for (const name of await readdir(join(place, 'dist/gateway')))
      if (/^start-.*\.js$/.test(name)) await rm(join(place, 'dist/gateway', name));
    expect(await run(place)).toEqual({ code: 1, stderr: 'the build is incomplete: run "npm run build"\n' });
  });

  it('says so in npm’s scripts, too, before anything was installed', async () => {
    const place = join(folder.path, 'fresh');
    for (const name of ['package.json', 'build.mjs', 'link-node.mjs']) await cp(name, join(place, name));
    const stderr = await new Promise<string>((done) => {
      execFile('npm', ['start'], { cwd: place }, (_error, _stdout, text) => done(text));
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

describe('what shows only when it runs is in the log', () => {
  it('that the clock is off', async () => {
    sandbox.setSettings({ clockOffsetSeconds: 3600 });
    const gateway = new GatewayProcess(variables());
    expect((await stopTask(await gateway.url(), 'a')).status).toBe(200);
    const { level, msg, offsetMs } = await logEntryOf(gateway, 'clock-skew-corrected');
    expect(level).toBe('warn');
    expect(Number(offsetMs)).toBeGreaterThan(3_500_000);
    expect(msg).toBe(
      "the clock of this machine is wrong: check NTP; until it is set, signatures carry the cloud's time",
    );
    sandbox.setSettings({ clockOffsetSeconds: 0 });
    gateway.kill('SIGKILL');
  });

  it('that Redis cannot be reached, or does not let the gateway in', async () => {
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
    expect((await logEntryOf(unauthenticated, 'quota-redis-disconnected'))['reason']).toMatch(
      /^(WRONGPASS|NOAUTH)$/,
    );
    unauthenticated.kill('SIGKILL');
    await redis.close();
  });
});

describe('a gateway that starts', () => {
  it('says so in one line: where it listens, the endpoint, region, quota, store and callers, and no secret', async () => {
    const gateway = new GatewayProcess({ ...variables(), QUOTA_PER_SECOND: '7' });
    const url = await gateway.url();
    const said = gateway.stdout.split('\n').filter((line) => line.includes('"event":"server-started"'));
    expect(said.map((line) => JSON.parse(line) as unknown)).toEqual([
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
});
