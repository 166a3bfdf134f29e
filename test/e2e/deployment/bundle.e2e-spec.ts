import { copyFile, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { stopTask } from '../../support/client.js';
import { gatewayEnvironment } from '../../support/environment.js';
import { GatewayProcess } from '../../support/process.js';
import { RedisProcess } from '../../support/redis.js';
import { sandboxFixture, tempFolderFixture } from '../../support/fixtures.js';

const folder = await tempFolderFixture();
// The contents of the image: the bundle, package.json, and one package.
await cp('dist/gateway', join(folder, 'dist/gateway'), { recursive: true });
await copyFile('package.json', join(folder, 'package.json'));
await mkdir(join(folder, 'node_modules'));
await symlink(resolve('node_modules/swagger-ui-dist'), join(folder, 'node_modules/swagger-ui-dist'));
const sandbox = await sandboxFixture({ acceptUnknownTasks: true });
await writeFile(join(folder, 'ca.pem'), sandbox.ca);
const redis = await RedisProcess.start();
afterAll(() => redis.close());

const start = (variables: Record<string, string>): GatewayProcess =>
  new GatewayProcess(
    { ...gatewayEnvironment(sandbox), NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'), ...variables },
    [],
    join(folder, 'dist/gateway'),
  );

describe('the bundle, with Swagger UI as the only package', () => {
  it('stops a task and serves all pages', async () => {
    const gateway = start({});
    const url = await gateway.url();
    expect((await stopTask(url, 'bundled')).status).toBe(200);
    for (const path of ['/docs', '/docs/swagger-ui-bundle.js', '/openapi.json', '/problems', '/metrics'])
      expect([path, (await fetch(url + path)).status]).toEqual([path, 200]);
    expect((await gateway.stop('SIGTERM')).code).toBe(0);
  });

  it('contains the modules for Redis and tracing, which it loads on demand', async () => {
    const gateway = start({ REDIS_URL: redis.url, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    expect((await stopTask(await gateway.url(), 'bundled')).status).toBe(200);
    expect((await gateway.stop('SIGTERM')).code).toBe(0);
  });

  it('lists its packages with their licences', async () => {
    const licences = await readFile('dist/gateway/THIRD-PARTY-LICENSES.txt', 'utf8');
    for (const name of ['fastify', '@nestjs/core', 'axios', 'ioredis', 'prom-client', 'class-validator'])
      expect(licences).toMatch(new RegExp(`^${name} [\\d.]+: \\S+$`, 'm'));
  });
});
