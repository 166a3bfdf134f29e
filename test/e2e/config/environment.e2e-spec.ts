import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { stopTask } from '../../support/client.js';
import { variablesFor } from '../../support/gateway.js';
import { GatewayProcess } from '../../support/process.js';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
});

afterAll(() => sandbox.close());

const variables = () => ({ ...variablesFor(sandbox), TRTC_ENDPOINT: sandbox.httpUrl });

describe('the gateway as a process', () => {
  it('stops a task, with all its configuration from the environment, and ends on SIGTERM with 0', async () => {
    const gateway = new GatewayProcess({ ...variables(), SHUTDOWN_GRACE_MS: '1000' });
    const { status, body } = await stopTask(await gateway.url(), 'a-task');
    expect({ status, ...body }).toMatchObject({ status: 'stopped', taskId: 'a-task' });
    gateway.kill('SIGTERM');
    expect(await gateway.finished).toMatchObject({ code: 0, stderr: '' });
  });

  it('takes no proxy from the environment', async () => {
    const proxy = 'http://127.0.0.1:9';
    const proxies = { HTTP_PROXY: proxy, http_proxy: proxy, HTTPS_PROXY: proxy, ALL_PROXY: proxy };
    const gateway = new GatewayProcess({ ...variables(), ...proxies, SHUTDOWN_GRACE_MS: '1000' });
    expect((await stopTask(await gateway.url(), 'not-by-proxy')).status).toBe(200);
    gateway.kill('SIGTERM');
    expect(await gateway.finished).toMatchObject({ code: 0 });
  });

  it('says that its port is taken, in one line, and exits with 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await new GatewayProcess({ ...variablesFor(sandbox), PORT: String(port) })
      .finished;
    other.close();
    expect(code).toBe(1);
    expect(stderr).toBe(
      `port ${port} of 127.0.0.1 is taken: choose another with PORT, or end what listens there\n`,
    );
  });
});

describe('a wrong configuration: exit code 78 and one message with every fault, by name and never by value', () => {
  it('when nothing is set', async () => {
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
