import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { certificateForAnotherHost } from '../../../apps/sandbox/src/certificates.js';
import type { SandboxCredentials } from '../../../apps/sandbox/src/credentials.js';
import { startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { stopTask } from '../../support/client.js';
import { ConnectProxy, type ConnectProxyOptions } from '../../support/connect-proxy.js';
import { sandboxFixture, tempFolderFixture } from '../../support/fixtures.js';
import { eventually } from '../../support/eventually.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { startMetadataService } from '../../support/metadata-service.js';
import { replaceFileAtomically } from '../../support/temp-folder.js';
import { startSecurityTokenService } from '../../support/security-token-service.js';
import { findSecrets } from '../../support/secret-scanner.js';

const TEMPORARY: SandboxCredentials = { secretId: 'AKIDtmp', secretKey: 'tmp-key', token: 'tmp-token' };
const STATIC: SandboxCredentials = { secretId: 'AKIDstatic', secretKey: 'static-key' };
const sandbox = await sandboxFixture({ acceptUnknownTasks: true, credentials: [STATIC, TEMPORARY] });
const folder = await tempFolderFixture();
const credentialsFile = join(folder, 'proxy-credentials');
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

describe('with UPSTREAM_PROXY and temporary credentials', () => {
  const NO_KEYS = { TENCENTCLOUD_SECRET_ID: '', TENCENTCLOUD_SECRET_KEY: '' };
  const tokenFile = join(folder, 'web-identity-token');
  const POD_IDENTITY = {
    ...NO_KEYS,
    TKE_REGION: 'ap-singapore',
    TKE_PROVIDER_ID: 'cluster-1',
    TKE_ROLE_ARN: 'qcs::cam::uin/1:roleName/stop',
    TKE_WEB_IDENTITY_TOKEN_FILE: tokenFile,
  };

  it('the token of a pod is exchanged through the proxy', async () => {
    await writeFile(tokenFile, 'pod.token');
    const service = await startSecurityTokenService(TEMPORARY);
    service.acceptedToken = 'pod.token';
    const { body } = await stopThrough(
      { credentials: CREDENTIALS },
      {
        ...POD_IDENTITY,
        UPSTREAM_PROXY_CREDENTIALS_FILE: credentialsFile,
        TENCENTCLOUD_STS_ENDPOINT: service.url,
      },
    );
    expect(body).toMatchObject({ status: 'stopped' });
    expect(proxy.requests.map(({ authority }) => authority)).toEqual([
      new URL(service.url).host,
      new URL(sandbox.httpsUrl).host,
    ]);
    expect(JSON.stringify(service.requests)).not.toContain('proxy-authorization');
    service.close();
  });

  it('the reason is logged when the proxy cannot reach the security token service', async () => {
    await writeFile(tokenFile, 'pod.token');
    const { body } = await stopThrough({ status: 502 }, POD_IDENTITY);
    expect(body).toMatchObject({ code: 'upstream-unavailable', outcome: 'not-sent' });
    expect(proxy.requests[0]).toMatchObject({ authority: 'sts.intl.tencentcloudapi.com:443' });
    expect(gateway.logs).toContainEqual(
      expect.objectContaining({
        event: 'credentials-reload-failed',
        reason: 'the security token service cannot be reached (proxy: HTTP 502)',
      }),
    );
  });

  it('the metadata service is reached without the proxy', async () => {
    const service = await startMetadataService('stop-role');
    service.issued = { credentials: TEMPORARY, lifetimeMs: 3_600_000 };
    proxy = await ConnectProxy.start();
    gateway = await startGateway(
      sandbox,
      { ...NO_KEYS, TENCENTCLOUD_CVM_ROLE: 'stop-role', UPSTREAM_PROXY: proxy.url },
      { metadataService: service.url },
    );
    expect((await stopTask(gateway.url, 'with-a-role')).body).toMatchObject({ status: 'stopped' });
    expect(service.requestCount).toBe(1);
    expect(proxy.requests.map(({ authority }) => authority)).toEqual([new URL(sandbox.httpsUrl).host]);
    service.close();
  });
});

describe('UPSTREAM_PROXY_CREDENTIALS_FILE', () => {
  it('can change without a restart, and invalid content is ignored', async () => {
    const file = join(folder, 'rotated-credentials');
    await writeFile(file, 'old:password');
    const { body } = await stopThrough(
      { credentials: CREDENTIALS },
      { UPSTREAM_PROXY_CREDENTIALS_FILE: file },
    );
    expect(body).toMatchObject(UNREACHABLE);
    await replaceFileAtomically(file, CREDENTIALS);
    expect((await stopTask(gateway.url, 'rotated')).body).toMatchObject({ status: 'stopped' });
    await replaceFileAtomically(file, 'no colon');
    proxy.closeTunnels();
    await eventually(async () => (await stopTask(gateway.url, 'ignored')).body!['status'] === 'stopped');
    expect(proxy.requests).toHaveLength(3);
  });
});
