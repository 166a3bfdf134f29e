import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTempFolder } from '../../support/callers-file.js';
import { composeFile } from '../../support/manifests.js';
import { GatewayProcess } from '../../support/process.js';
import { RedisProcess } from '../../support/redis.js';

/** The sandbox of compose.yaml as a process of its own. */
class SandboxProcess {
  readonly #child: ChildProcess;
  #stdout = '';

  constructor(environment: Record<string, string>) {
    this.#child = spawn(process.execPath, ['dist/apps/sandbox/src/main.js'], {
      env: { ...environment, SANDBOX_PORT: '0', SANDBOX_TLS_PORT: '0', SANDBOX_CONTROL_PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child.stdout!.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
  }

  async urls(): Promise<{ https: string; control: string; stdout: string }> {
    while (!this.#stdout.includes('curl')) {
      if (this.#child.exitCode !== null) throw new Error(`the sandbox ended: ${this.#stdout}`);
      await sleep(20);
    }
    const https = /https:\/\/\S+/.exec(this.#stdout)![0];
    const control = /(http:\/\/\S+) {2}\(control API\)/.exec(this.#stdout)![1]!;
    return { https, control, stdout: this.#stdout };
  }

  async close(): Promise<void> {
    this.#child.kill();
    await once(this.#child, 'close');
  }
}

describe('the processes of compose.yaml, with its environment, outside of containers', () => {
  let folder: Awaited<ReturnType<typeof createTempFolder>>;
  let redis: RedisProcess;
  let sandbox: SandboxProcess;
  let gateways: GatewayProcess[];
  let urls: string[];
  let cloud: Awaited<ReturnType<SandboxProcess['urls']>>;

  /** With the volume in a folder of this test's, and names that exist here. */
  const withLocalPaths = (
    environment: Record<string, string>,
    changes: Record<string, string>,
  ): typeof environment =>
    Object.fromEntries(
      Object.entries({ ...environment, ...changes }).map(([name, value]) => [
        name,
        value.replace(/^\/cloud/, folder.path),
      ]),
    );

  beforeAll(async () => {
    folder = await createTempFolder();
    redis = await RedisProcess.start();
    sandbox = new SandboxProcess(withLocalPaths(composeFile.services['sandbox']!.environment!, {}));
    cloud = await sandbox.urls();
    const changes = { TRTC_ENDPOINT: cloud.https, REDIS_URL: redis.url, HOST: '127.0.0.1', PORT: '0' };
    gateways = ['gateway-1', 'gateway-2'].map(
      (name) => new GatewayProcess(withLocalPaths(composeFile.services[name]!.environment!, changes)),
    );
    urls = await Promise.all(gateways.map((gateway) => gateway.url()));
    // Four processes start, on a machine that may be busy.
  }, 180_000);
  afterAll(async () => {
    for (const gateway of gateways) gateway.kill('SIGKILL');
    await sandbox.close();
    await redis.close();
    await folder.remove();
  });

  it.each([0, 1])('stop tasks with the pair that the sandbox made, through gateway %i', async (index) => {
    await fetch(`${cloud.control}/tasks/task-${index}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sdkAppId: 1400000001, status: 'running' }),
    });
    const response = await fetch(`${urls[index]}/ingest-tasks/task-${index}`, { method: 'DELETE' });
    expect(await response.json()).toMatchObject({ taskId: `task-${index}`, status: 'stopped' });
    const metrics = await (await fetch(`${urls[index]}/metrics`)).text();
    expect(metrics).toContain('ingest_gateway_quota_redis_up 1');
  });

  it('tell where the pair is, and not the pair', () => {
    expect(cloud.stdout).toContain(`TENCENTCLOUD_SECRET_KEY_FILE=${join(folder.path, 'secret-key')}`);
    expect(cloud.stdout).not.toContain('TENCENTCLOUD_SECRET_KEY=');
  });
});

describe('every service of compose.yaml', () => {
  it.each(Object.entries(composeFile.services))(
    'is locked down, limited and watched: %s',
    (_name, service) => {
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        deploy: {
          resources: {
            limits: { cpus: '1', memory: expect.stringMatching(/^\d+M$/), pids: expect.any(Number) },
          },
        },
      });
      for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    },
  );

  // What is built here has its health check in the Dockerfile.
  it.each(Object.entries(composeFile.services).filter(([, { build }]) => !build))(
    'that is not built here has a fixed version and a health check: %s',
    (_name, service) => {
      expect(service.healthcheck?.test[0]).toBe('CMD');
      expect(service.image).toMatch(/:v?\d+\.\d+\.\d+(-\w+)?$/);
    },
  );

  it('has a port to itself', () => {
    const taken = Object.values(composeFile.services).flatMap(({ ports = [] }) =>
      ports.map((port) => port.split(':')[1]),
    );
    expect(new Set(taken).size).toBe(taken.length);
  });
});
