import { describe, expect, it } from '@jest/globals';
import { stopTask } from '../../support/client.js';
import { gatewayEnvironment } from '../../support/environment.js';
import { GatewayProcess } from '../../support/process.js';
import { sandboxFixture } from '../../support/fixtures.js';

const sandbox = await sandboxFixture({ acceptUnknownTasks: true });

const variables = () => ({ ...gatewayEnvironment(sandbox), TRTC_ENDPOINT: sandbox.httpUrl });

describe('a gateway process', () => {
  it('takes all configuration from the environment, and exits with 0 after SIGTERM', async () => {
    const gateway = new GatewayProcess({ ...variables(), SHUTDOWN_GRACE_MS: '1000' });
    const { status, body } = await stopTask(await gateway.url(), 'a-task');
    expect({ status, ...body }).toMatchObject({ status: 'stopped', taskId: 'a-task' });
    expect(await gateway.stop('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
  });

  it('ignores the proxy variables of the environment', async () => {
    const proxy = 'http://127.0.0.1:9';
    const proxies = { HTTP_PROXY: proxy, http_proxy: proxy, HTTPS_PROXY: proxy, ALL_PROXY: proxy };
    const gateway = new GatewayProcess({ ...variables(), ...proxies, SHUTDOWN_GRACE_MS: '1000' });
    expect((await stopTask(await gateway.url(), 'without-proxy')).status).toBe(200);
    expect(await gateway.stop('SIGTERM')).toMatchObject({ code: 0 });
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
