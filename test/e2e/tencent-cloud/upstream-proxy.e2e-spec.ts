import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { certificateForAnotherHost } from '../../../apps/sandbox/src/certificates.js';
import { startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { stopTask } from '../../support/client.js';
import { ConnectProxy, type ConnectProxyOptions } from '../../support/connect-proxy.js';
import { sandboxFixture, tempFolderFixture } from '../../support/fixtures.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { findSecrets } from '../../support/secret-scanner.js';

const sandbox = await sandboxFixture({ acceptUnknownTasks: true });
const credentialsFile = join(await tempFolderFixture(), 'proxy-credentials');
const CREDENTIALS = 'egress-user:marked/proxy+password';
await writeFile(credentialsFile, `${CREDENTIALS}\n`);

const UNREACHABLE = { code: 'upstream-unreachable', outcome: 'not-sent' };

let gateway: Gateway;
let proxy: ConnectProxy;
// A new task for each test, because the sandbox knows which ones have ended.
let taskNumber = 0;

afterEach(async () => {
  await gateway.close();
  await proxy.close();
});

/** Stops a task through a proxy. */
async function stopThrough(options: ConnectProxyOptions, variables: Record<string, string> = {}) {
  proxy = await ConnectProxy.start(options);
  gateway = await startGateway(sandbox, {
    UPSTREAM_PROXY: proxy.url,
    UPSTREAM_MAX_ATTEMPTS: '1',
    ...variables,
  });
  taskNumber += 1;
  const { body } = await stopTask(gateway.url, `task-${taskNumber}`);
  return { body, entry: gateway.logs.findLast(({ event }) => event === 'stop-completed')! };
}

describe('with UPSTREAM_PROXY', () => {
  it('a stop goes through one tunnel that stays open, and the proxy sees only the authority', async () => {
    const { host } = new URL(sandbox.httpsUrl);
    const { body } = await stopThrough({});
    expect(body).toMatchObject({ status: 'stopped' });
    expect((await stopTask(gateway.url, 'y')).body).toMatchObject({ status: 'stopped' });
    expect(proxy.requests).toEqual([{ authority: host, headers: { host, connection: expect.any(String) } }]);
  });

  it('a stop to a plain http endpoint on loopback goes through a tunnel, too', async () => {
    const { body } = await stopThrough({}, { TRTC_ENDPOINT: sandbox.httpUrl });
    expect(body).toMatchObject({ status: 'stopped' });
    expect(proxy.requests).toMatchObject([{ authority: new URL(sandbox.httpUrl).host }]);
  });

  it('the credentials of UPSTREAM_PROXY_CREDENTIALS_FILE are sent to the proxy only', async () => {
    const { body } = await stopThrough(
      { credentials: CREDENTIALS },
      { UPSTREAM_PROXY_CREDENTIALS_FILE: credentialsFile },
    );
    expect(body).toMatchObject({ status: 'stopped' });
    expect(JSON.stringify(sandbox.receivedRequests())).not.toContain('proxy-authorization');
  });

  it.each([
    ['HTTP 407', 'it requires credentials', { credentials: CREDENTIALS }],
    ['HTTP 502', 'it cannot reach the upstream', { status: 502 }],
    ['timeout', 'it does not respond', { isSilent: true }],
  ])('the result is upstream-unreachable with the reason proxy: %s when %s', async (reason, _, options) => {
    sandbox.clearReceivedRequests();
    const variables = reason === 'timeout' ? { UPSTREAM_ATTEMPT_TIMEOUT_MS: '500' } : {};
    const { body, entry } = await stopThrough(options, variables);
    expect(body).toMatchObject(UNREACHABLE);
    expect(entry['reason']).toBe(`proxy: ${reason}`);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('no output contains rejected credentials', async () => {
    const { body, entry } = await stopThrough(
      { credentials: 'other:password' },
      { UPSTREAM_PROXY_CREDENTIALS_FILE: credentialsFile },
    );
    expect(entry['reason']).toBe('proxy: HTTP 407');
    expect(findSecrets(JSON.stringify([body, gateway.logs]), { CREDENTIALS })).toEqual([]);
  });

  it('the result is upstream-unreachable when the tunnel leads to a server with another certificate', async () => {
    const impostor = await startSandbox({
      acceptUnknownTasks: true,
      certificate: certificateForAnotherHost,
    });
    const { body } = await stopThrough({ target: Number(new URL(impostor.httpsUrl).port) });
    expect(body).toMatchObject(UNREACHABLE);
    expect(impostor.receivedRequests()).toEqual([]);
    await impostor.close();
  });
});
