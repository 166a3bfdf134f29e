import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { stopTask } from '../../support/client.js';
import { gatewayEnvironment } from '../../support/environment.js';
import { listen } from '../../support/free-port.js';
import { GatewayProcess } from '../../support/process.js';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
});

afterAll(() => sandbox.close());

const variables = () => ({ ...gatewayEnvironment(sandbox), TRTC_ENDPOINT: sandbox.httpUrl });

describe('a gateway process', () => {
  it('takes all configuration from the environment, and exits with 0 after SIGTERM', async () => {
    const gateway = new GatewayProcess({ ...variables(), SHUTDOWN_GRACE_MS: '1000' });
    const { status, body } = await stopTask(await gateway.url(), 'a-task');
    expect({ status, ...body }).toMatchObject({ status: 'stopped', taskId: 'a-task' });
    gateway.kill('SIGTERM');
    expect(await gateway.finished).toMatchObject({ code: 0, stderr: '' });
  });

  it('ignores the proxy variables of the environment', async () => {
    const proxy = 'http://127.0.0.1:9';
    const proxies = { HTTP_PROXY: proxy, http_proxy: proxy, HTTPS_PROXY: proxy, ALL_PROXY: proxy };
    const gateway = new GatewayProcess({ ...variables(), ...proxies, SHUTDOWN_GRACE_MS: '1000' });
    expect((await stopTask(await gateway.url(), 'without-proxy')).status).toBe(200);
    gateway.kill('SIGTERM');
    expect(await gateway.finished).toMatchObject({ code: 0 });
  });

  it('prints one line and exits with 1 when its port is in use', async () => {
    const other = createServer();
    const port = await listen(other);
    const { code, stderr } = await new GatewayProcess({ ...gatewayEnvironment(sandbox), PORT: String(port) })
      .finished;
    other.close();
    expect(code).toBe(1);
    expect(stderr).toBe(
      `port ${port} of 127.0.0.1 is in use: choose another with PORT, or stop the program that listens there\n`,
    );
  });
});

describe('an empty environment', () => {
  it('exits with 78 and one message that names every missing variable', async () => {
    const { code, stdout, stderr } = await new GatewayProcess({}).finished;
    expect(code).toBe(78);
    expect(stdout).toBe('');
    for (const name of [
      'TENCENTCLOUD_SECRET_ID',
      'TENCENTCLOUD_SECRET_KEY',
      'TRTC_SDK_APP_ID',
      'CALLERS_FILE',
    ])
      expect(stderr).toContain(`- ${name} `);
    expect(stderr).not.toMatch(/\bat .*\.js/);
  });
});
