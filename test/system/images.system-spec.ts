import { chownSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bearerHeader, callerEntry } from '../support/callers-file.js';
import { send, stopTask } from '../support/client.js';
import { ContainerImages, NONROOT } from '../support/container-images.js';
import { eventually } from '../support/eventually.js';
import { tempFolderFixture } from '../support/fixtures.js';
import { freePort } from '../support/free-port.js';
import type { Subprocess } from '../support/process.js';
import { findSecrets } from '../support/secret-scanner.js';

const REVISION = '0123456789abcdef0123456789abcdef01234567';
const SOURCE = 'https://git.example.com/ingest-gateway';
const CALLER_KEY = 'igw_key-of-the-image-test';

/** In files that a developer may have in the repository while the image is built. */
const PLANTED_SECRETS = {
  secretKey: 'planted-Secret+Key/of=the-cloud',
  callerKey: 'igw_planted-key-of-a-caller',
};
const FILES_WITH_SECRETS = [
  '.env',
  'gateway.env',
  'callers/callers.json',
  'docker/.env',
  'docker/secret-key',
  'apps/.env',
  'apps/gateway/.env',
  'apps/gateway/src/secret-key.json',
  'libs/tc3/callers.json',
  'supply-chain/.env',
];

interface ImageDetails {
  readonly Size: number;
  readonly User: string;
  readonly Labels: Record<string, string>;
  readonly Healthcheck: { readonly Test: readonly string[] };
  readonly Config: { readonly StopSignal: string };
}

/** The `docker run` command of the README, without the port that it publishes. */
const [runCommand = ''] = /docker run [^`]+/.exec(readFileSync('README.md', 'utf8')) ?? [];
const runGateway = runCommand
  .replaceAll('\\\n', ' ')
  .replace(/-p \S+/, '')
  .trim();

const folder = await tempFolderFixture();
const context = join(folder, 'context');
const run = join(folder, 'run');

let images: ContainerImages;
let sandbox: Subprocess;
let controlUrl: string;
let endpoint: string;

const control = async (path: string, body: unknown): Promise<void> => {
  const headers = { 'content-type': 'application/json' };
  const { ok } = await fetch(controlUrl + path, { method: 'PUT', headers, body: JSON.stringify(body) });
  expect(ok).toBe(true);
};

/** Starts a container of the gateway with the command of the README. @param flags further flags of `docker run` */
async function startGateway(
  name: string,
  variables: Record<string, string> = {},
  flags = '-v "$PWD/cloud:/cloud:ro"',
): Promise<{ container: Subprocess; url: string }> {
  const port = await freePort();
  const environment = {
    HOST: '127.0.0.1',
    PORT: String(port),
    CALLERS_FILE: '/etc/ingest-gateway/callers/callers.json',
    TENCENTCLOUD_SECRET_ID_FILE: '/cloud/secret-id',
    TENCENTCLOUD_SECRET_KEY_FILE: '/cloud/secret-key',
    TRTC_ENDPOINT: endpoint,
    TRTC_SDK_APP_ID: '1400000001',
    ...variables,
  };
  const lines = Object.entries(environment).map(([variable, value]) => `${variable}=${value}\n`);
  writeFileSync(join(run, 'gateway.env'), lines.join(''));
  const command = runGateway.replace(/ ingest-gateway$/, ` ${flags} localhost/gateway`);
  return { container: images.run(name, command, run), url: `http://127.0.0.1:${port}` };
}

/** Writes a file as Kubernetes mounts a secret for a pod with an `fsGroup`. */
function writeSecret(path: string, content: string, group = NONROOT): void {
  writeFileSync(join(run, path), content, { mode: 0o440 });
  chownSync(join(run, path), 0, group);
}

/** Whether a path belongs to a clone. */
const isSource = (path: string): boolean => !/^(?:node_modules|dist|\.git)(?:\/|$)/.test(path);

beforeAll(async () => {
  images = await ContainerImages.create();
  cpSync('.', context, { recursive: true, filter: isSource });
  for (const file of FILES_WITH_SECRETS) {
    mkdirSync(join(context, file, '..'), { recursive: true });
    writeFileSync(join(context, file), Object.values(PLANTED_SECRETS).join('\n'));
  }
  images.build('gateway', context, { GATEWAY_REVISION: REVISION, GATEWAY_SOURCE: SOURCE });
  images.build('sandbox', context);

  for (const name of ['callers', 'cloud', 'sandbox', 'unreadable'])
    mkdirSync(join(run, name), { recursive: true });
  chownSync(join(run, 'sandbox'), NONROOT, NONROOT);
  const ports = '-e SANDBOX_PORT=0 -e SANDBOX_TLS_PORT=0 -e SANDBOX_CONTROL_PORT=0 -e SANDBOX_HOST=127.0.0.1';
  sandbox = images.run(
    'sandbox',
    `docker run --read-only --cap-drop ALL ${ports} -e SANDBOX_CREDENTIALS_FOLDER=/cloud -v "$PWD/sandbox:/cloud" localhost/sandbox`,
    run,
  );
  await sandbox.waitForOutput(/curl/);
  [endpoint] = await sandbox.waitForOutput(/http:\/\/\S+/);
  [, controlUrl = ''] = await sandbox.waitForOutput(/(http:\/\/\S+) {2}\(control API\)/);
  await control('/settings', { acceptUnknownTasks: true });
  writeSecret('callers/callers.json', JSON.stringify([callerEntry('studio', CALLER_KEY)]));
  for (const name of ['secret-id', 'secret-key'])
    writeSecret(`cloud/${name}`, readFileSync(join(run, 'sandbox', name), 'utf8'));
  writeSecret('unreadable/secret-id', 'AKIDunreadable', 0);
  writeSecret('unreadable/secret-key', 'unreadable-key', 0);
  // Two builds with npm ci.
}, 600_000);

afterAll(() => images?.close());

describe('the image of the gateway', () => {
  it('names its user, its health check, its stop signal and its origin', async () => {
    const details = await images.inspect<ImageDetails>('localhost/gateway');
    expect(details.User).toBe('65532');
    expect(details.Healthcheck.Test).toEqual(['CMD', '/nodejs/bin/node', 'docker/healthcheck.mjs', '/livez']);
    expect(details.Config.StopSignal).toBe('SIGTERM');
    expect(details.Labels).toMatchObject({
      'org.opencontainers.image.title': 'ingest-gateway',
      'org.opencontainers.image.version': '0.1.0',
      'org.opencontainers.image.licenses': 'MIT',
      'org.opencontainers.image.revision': REVISION,
      'org.opencontainers.image.source': SOURCE,
    });
  });

  it('is less than 15 MB larger than its base image', async () => {
    const image = await images.inspect<ImageDetails>('localhost/gateway');
    const base = await images.inspect<ImageDetails>('localhost/runtime');
    expect(image.Size - base.Size).toBeLessThan(15_000_000);
  });

  it.each(['gateway', 'sandbox'])(
    'has no key of the build folder in a layer or in its configuration: %s',
    async (name) => {
      const blobs = await images.blobs(`localhost/${name}`);
      // The layers are readable.
      expect(blobs.some((blob) => blob.includes('docker/healthcheck.mjs'))).toBe(true);
      expect(blobs.flatMap((blob) => findSecrets(blob.toString('latin1'), PLANTED_SECRETS))).toEqual([]);
    },
  );
});

describe('a container with the flags of the README', () => {
  let gateway: { container: Subprocess; url: string };

  beforeAll(async () => {
    gateway = await startGateway('gateway');
    await gateway.container.waitForOutput(/"event":"server-started"/);
  });

  it('has the flags that protect it', () => {
    for (const flag of ['--read-only', '--cap-drop ALL', 'no-new-privileges', '--stop-timeout 15'])
      expect(runGateway).toContain(flag);
  });

  it('runs as user 65532 without capabilities, and can write nowhere', async () => {
    const script = `
      const { readFileSync, writeFileSync } = require('node:fs');
      const write = (path) => { try { writeFileSync(path, ''); return 'written'; } catch ({ code }) { return code; } };
      const status = readFileSync('/proc/1/status', 'utf8');
      const field = (name) => new RegExp('^' + name + ':\\\\s+(\\\\S+)', 'm').exec(status)[1];
      console.log(JSON.stringify({
        user: field('Uid'), group: field('Gid'), permitted: field('CapPrm'), bounding: field('CapBnd'),
        noNewPrivileges: field('NoNewPrivs'),
        writes: ['/app/x', '/tmp/x', '/etc/ingest-gateway/callers/x', '/cloud/x'].map(write),
      }));`;
    expect(JSON.parse(await images.podman('exec', 'gateway', '/nodejs/bin/node', '-e', script))).toEqual({
      user: '65532',
      group: '65532',
      permitted: '0000000000000000',
      bounding: '0000000000000000',
      noNewPrivileges: '1',
      writes: ['EROFS', 'EROFS', 'EROFS', 'EROFS'],
    });
  });

  it('passes its health check while it serves, and fails it after the event loop stops', async () => {
    await eventually(() => isHealthy('gateway'));
    const { State } = await images.inspect<{ State: { Pid: number } }>('gateway');
    process.kill(State.Pid, 'SIGSTOP');
    expect(await isHealthy('gateway')).toBe(false);
    process.kill(State.Pid, 'SIGCONT');
    await eventually(() => isHealthy('gateway'));
  });

  it('stops a task with keys in files of mode 0440 that belong to its group', async () => {
    const headers = bearerHeader(CALLER_KEY);
    await eventually(async () => (await send(gateway.url, '/readyz', { method: 'GET' })).status === 200);
    expect(await stopTask(gateway.url, 'task-1', '', { ...headers, prefer: 'wait=30' })).toMatchObject({
      status: 200,
      body: { taskId: 'task-1', status: 'stopped' },
    });
    expect((await stopTask(gateway.url, 'task-1')).status).toBe(401);
  });

  it('responds to the command of the runbooks, which needs no shell', async () => {
    const [, script = ''] = /node -e \\\n +'([^']+)'/.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
    const request = (url: string): Promise<string> =>
      images.podman('exec', 'gateway', '/nodejs/bin/node', '-e', script, url);
    expect(await request(`${gateway.url}/readyz`)).toBe('200 {"status":"ok"}\n');
    expect(await request(`http://127.0.0.1:${await freePort()}/readyz`)).toMatch(/ECONNREFUSED/);
  });

  it('reports the revision of the image', async () => {
    const { text } = await send(gateway.url, '/metrics', { method: 'GET' });
    expect(text).toContain(`revision="${REVISION}"`);
  });

  it('serves the API documentation', async () => {
    for (const path of ['/docs', '/openapi.json'])
      expect(await send(gateway.url, path, { method: 'GET' })).toMatchObject({ status: 200 });
  });

  it('completes the calls in flight and exits with 0 when it is stopped under load', async () => {
    const headers = bearerHeader(CALLER_KEY);
    const agent = new http.Agent({ keepAlive: true });
    await control('/delays', { response: { minMs: 1500, maxMs: 1500 } });
    const inFlight = Array.from({ length: 10 }, (_, n) =>
      stopTask(gateway.url, `in-flight-${n}`, '', headers),
    );
    await eventually(async () => {
      const received = (await (await fetch(`${controlUrl}/received-requests`)).json()) as {
        taskId: string;
      }[];
      return received.filter(({ taskId }) => taskId.startsWith('in-flight')).length === 10;
    });
    const unexpected: string[] = [];
    const client = async (name: number): Promise<void> => {
      for (let n = 0; ; n += 1) {
        const path = `/ingest-tasks/load-${name}-${n}`;
        const response = await send(gateway.url, path, { agent, headers }).catch(
          ({ code }: NodeJS.ErrnoException) => code,
        );
        if (typeof response === 'object') {
          const { status, body } = response;
          if (![200, 429, 503].includes(status) || !body) unexpected.push(`${status}`);
          if (status === 503) return;
        } else {
          // A connection that nobody accepts loses no call.
          if (response !== 'ECONNREFUSED') unexpected.push(`${response}`);
          return;
        }
      }
    };
    const clients = Array.from({ length: 10 }, (_, name) => client(name));
    await images.podman('stop', 'gateway');
    const responses = await Promise.all(inFlight);
    await Promise.all(clients);
    agent.destroy();
    expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 200));
    expect(unexpected).toEqual([]);
    const { code, stdout } = await gateway.container.finished;
    expect(code).toBe(0);
    expect(stdout).toContain('"event":"shutdown-completed"');
  });

  it('exits with 78 and names the file that it may not read', async () => {
    const { container } = await startGateway('no-access', {}, '-v "$PWD/unreadable:/cloud:ro"');
    const { code, stdout, stderr } = await container.finished;
    expect(code).toBe(78);
    expect(stdout + stderr).toContain('TENCENTCLOUD_SECRET_ID_FILE');
    expect(stdout + stderr).not.toContain('AKIDunreadable');
  });
});

function isHealthy(name: string): Promise<boolean> {
  return images.podman('healthcheck', 'run', name).then(
    () => true,
    () => false,
  );
}
