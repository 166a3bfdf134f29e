import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { createTempFolder, type TempFolder } from '../../support/temp-folder.js';
import { composeFile } from '../../support/manifests.js';
import { readMetric } from '../../support/metrics.js';
import { GatewayProcess, Subprocess } from '../../support/process.js';
import { RedisProcess } from '../../support/redis.js';

describe('the processes of compose.yaml, outside containers', () => {
  let folder: TempFolder;
  let redis: RedisProcess;
  let sandbox: Subprocess;
  let controlUrl: string;
  let gateways: GatewayProcess[];
  let urls: string[];

  /** Replaces the volume with a temporary folder. */
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
    const ports = { SANDBOX_PORT: '0', SANDBOX_TLS_PORT: '0', SANDBOX_CONTROL_PORT: '0' };
    sandbox = new Subprocess([process.execPath, 'dist/apps/sandbox/src/main.js'], {
      env: withLocalPaths(composeFile.services['sandbox']!.environment!, ports),
    });
    await sandbox.waitForOutput(/curl/);
    const [endpoint] = await sandbox.waitForOutput(/https:\/\/\S+/);
    [, controlUrl = ''] = await sandbox.waitForOutput(/(http:\/\/\S+) {2}\(control API\)/);
    const changes = { TRTC_ENDPOINT: endpoint, REDIS_URL: redis.url, HOST: '127.0.0.1', PORT: '0' };
    gateways = ['gateway-1', 'gateway-2'].map(
      (name) => new GatewayProcess(withLocalPaths(composeFile.services[name]!.environment!, changes)),
    );
    urls = await Promise.all(gateways.map((gateway) => gateway.url()));
    // The start of four processes is slow on a busy machine.
  }, 180_000);
  afterAll(async () => {
    for (const gateway of gateways) gateway.kill('SIGKILL');
    await sandbox.stop('SIGTERM');
    await redis.close();
    await folder.remove();
  });

  it.each([0, 1])(
    'stop tasks through gateway %i with the credentials that the sandbox created',
    async (index) => {
      await fetch(`${controlUrl}/tasks/task-${index}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sdkAppId: 1400000001, status: 'running' }),
      });
      const response = await fetch(`${urls[index]}/ingest-tasks/task-${index}`, { method: 'DELETE' });
      expect(await response.json()).toMatchObject({ taskId: `task-${index}`, status: 'stopped' });
      expect(await readMetric(urls[index]!, 'ingest_gateway_quota_redis_up')).toBe(1);
    },
  );

  it('print the path of the credentials, and not the credentials', () => {
    expect(sandbox.stdout).toContain(`TENCENTCLOUD_SECRET_KEY_FILE=${join(folder.path, 'secret-key')}`);
    expect(sandbox.stdout).not.toContain('TENCENTCLOUD_SECRET_KEY=');
  });
});

describe('every service of compose.yaml', () => {
  it.each(Object.entries(composeFile.services))('is restricted and limited: %s', (_name, service) => {
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
  });

  // The Dockerfile has the health check of the images that are built here.
  it.each(Object.entries(composeFile.services).filter(([, { build }]) => !build))(
    'has a fixed version and a health check unless it is built here: %s',
    (_name, service) => {
      expect(service.healthcheck?.test[0]).toBe('CMD');
      expect(service.image).toMatch(/:v?\d+\.\d+\.\d+(-\w+)?$/);
    },
  );

  it('has its own ports', () => {
    const ports = Object.values(composeFile.services).flatMap((service) =>
      (service.ports ?? []).map((port) => port.split(':')[1]),
    );
    expect(new Set(ports).size).toBe(ports.length);
  });
});

/** Returns the file or folder of the repository that is mounted at the path of the container. */
const mounted = (path: string): string | undefined => {
  const mounts = composeFile.services['grafana']!.volumes!.map((volume) => volume.split(':'));
  const [source = '', target = ''] = mounts.find(([, at]) => path === at || path.startsWith(`${at}/`)) ?? [];
  return target ? join('docker', source, path.slice(target.length)) : undefined;
};

const provisioned = (kind: string): unknown[] =>
  globSync(`${mounted('/etc/grafana/provisioning')}/${kind}/*.yml`).map((file) =>
    parse(readFileSync(file, 'utf8')),
  );

describe('Grafana in compose.yaml', () => {
  it('reads dashboards from a folder that is mounted and has the dashboard', () => {
    const [{ providers }] = provisioned('dashboards') as [{ providers: { options: { path: string } }[] }];
    const paths = providers.map(({ options }) => mounted(options.path));
    expect(paths).toEqual(['docker/grafana/dashboards']);
    expect(existsSync('docker/grafana/dashboards/ingest-gateway.json')).toBe(true);
  });

  it('has the Prometheus of compose.yaml as its data source', () => {
    const [{ datasources }] = provisioned('datasources') as [{ datasources: { url: string }[] }];
    expect(datasources.map(({ url }) => url)).toEqual(['http://prometheus:9090']);
    expect(Object.keys(composeFile.services)).toContain('prometheus');
  });
});
