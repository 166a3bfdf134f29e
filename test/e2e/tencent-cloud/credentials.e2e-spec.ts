import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { SandboxCredentials } from '../../../apps/sandbox/src/credentials.js';
import { replaceFileAtomically } from '../../support/temp-folder.js';
import { send, stopTask } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { startSecurityTokenService } from '../../support/security-token-service.js';
import { type MetadataService, startMetadataService } from '../../support/metadata-service.js';
import { readMetric } from '../../support/metrics.js';
import { sandboxFixture, tempFolderFixture } from '../../support/fixtures.js';

const OLD: SandboxCredentials = { secretId: 'AKIDold', secretKey: 'old-key' };
const NEW: SandboxCredentials = { secretId: 'AKIDnew', secretKey: 'new-key' };
const TEMPORARY: SandboxCredentials = { secretId: 'AKIDtmp', secretKey: 'tmp-key', token: 'tmp/token+1==' };

const sandbox = await sandboxFixture({
  acceptUnknownTasks: true,
  quotaPerSecond: 1000,
  credentials: [OLD, NEW, TEMPORARY],
});
const folder = await tempFolderFixture();

beforeEach(() => sandbox.clearReceivedRequests());

const NO_CREDENTIALS = { TENCENTCLOUD_SECRET_ID: '', TENCENTCLOUD_SECRET_KEY: '', QUOTA_PER_SECOND: '1000' };

const readiness = async (gateway: Gateway): Promise<number> =>
  (await send(gateway.url, '/readyz', { method: 'GET' })).status;

let signedCalls = 0;

/** Stops a task. @returns the secret id that signed the call */
async function nextSecretId(gateway: Gateway): Promise<string> {
  // A new task id each time, because the gateway caches ended tasks.
  const { status } = await stopTask(gateway.url, `signed-${(signedCalls += 1)}`);
  expect(status).toBe(200);
  const { authorization = '' } = sandbox.receivedRequests().at(-1)!.headers;
  return /Credential=([^/]+)/.exec(authorization)![1]!;
}

const writeCredentialFiles = async (name: string): Promise<{ id: string; key: string }> => {
  const directory = join(folder, name);
  await mkdir(directory);
  const files = { id: join(directory, 'secret-id'), key: join(directory, 'secret-key') };
  await writeFile(files.id, `${OLD.secretId}\n`);
  await writeFile(files.key, `${OLD.secretKey}\n`);
  return files;
};
const startWithFiles = ({ id, key }: { id: string; key: string }): Promise<Gateway> =>
  startGateway(sandbox, {
    ...NO_CREDENTIALS,
    TENCENTCLOUD_SECRET_ID_FILE: id,
    TENCENTCLOUD_SECRET_KEY_FILE: key,
  });

describe('credentials in files', () => {
  it('sign calls, and are replaced without a restart', async () => {
    const files = await writeCredentialFiles('replaced');
    const gateway = await startWithFiles(files);
    expect(await nextSecretId(gateway)).toBe(OLD.secretId);
    expect(
      await readMetric(gateway.url, 'ingest_gateway_credentials_last_reload_success_timestamp_seconds'),
    ).toBeGreaterThan(1.7e9);
    expect(await readMetric(gateway.url, 'ingest_gateway_credentials_expiry_timestamp_seconds')).toBe(
      Infinity,
    );
    await replaceFileAtomically(files.id, NEW.secretId);
    await replaceFileAtomically(files.key, NEW.secretKey);
    await eventually(async () => (await nextSecretId(gateway)) === NEW.secretId);
    await gateway.close();
  });

  it('are reloaded when Kubernetes replaces the folder', async () => {
    const mount = join(folder, 'mount');
    for (const [version, credentials] of [['..v1', OLD] as const, ['..v2', NEW] as const]) {
      await mkdir(join(mount, version), { recursive: true });
      await writeFile(join(mount, version, 'id'), credentials.secretId);
      await writeFile(join(mount, version, 'key'), credentials.secretKey);
    }
    await symlink('..v1', join(mount, '..data'));
    for (const name of ['id', 'key']) await symlink(join('..data', name), join(mount, name));
    const gateway = await startWithFiles({ id: join(mount, 'id'), key: join(mount, 'key') });
    expect(await nextSecretId(gateway)).toBe(OLD.secretId);
    await symlink('..v2', join(mount, '..data_tmp'));
    await rename(join(mount, '..data_tmp'), join(mount, '..data'));
    await eventually(async () => (await nextSecretId(gateway)) === NEW.secretId);
    await gateway.close();
  });
});

describe('a credential file that is replaced by a FIFO', () => {
  it('is reported, and the credentials in use stay', async () => {
    const files = await writeCredentialFiles('fifo');
    const gateway = await startWithFiles(files);
    const isSuccessful = () => readMetric(gateway.url, 'ingest_gateway_credentials_last_reload_successful');
    expect(await isSuccessful()).toBe(1);
    await rm(files.key);
    execFileSync('mkfifo', [files.key]);
    await eventually(() =>
      gateway.logs.some(({ reason }) => reason === 'a file cannot be read (NOT_A_REGULAR_FILE)'),
    );
    expect(await isSuccessful()).toBe(0);
    expect(await nextSecretId(gateway)).toBe(OLD.secretId);
    await rm(files.key);
    await writeFile(files.key, NEW.secretKey);
    await replaceFileAtomically(files.id, NEW.secretId);
    await eventually(async () => (await nextSecretId(gateway)) === NEW.secretId);
    expect(await isSuccessful()).toBe(1);
    await gateway.close();
  });
});

describe('credentials of an instance role', () => {
  let service: MetadataService;

  beforeEach(async () => {
    service = await startMetadataService('stop-role');
  });

  const startWithRole = (): Promise<Gateway> =>
    startGateway(
      sandbox,
      { ...NO_CREDENTIALS, TENCENTCLOUD_CVM_ROLE: 'stop-role' },
      { metadataService: service.url },
    );

  it('sign calls with their token, and their expiry is reported as a metric', async () => {
    service.issued = { credentials: TEMPORARY, lifetimeMs: 3_600_000 };
    const gateway = await startWithRole();
    expect(await readiness(gateway)).toBe(200);
    expect(await nextSecretId(gateway)).toBe(TEMPORARY.secretId);
    expect(sandbox.receivedRequests()[0]!.headers['x-tc-token']).toBe(TEMPORARY.token);
    const expiry = await readMetric(gateway.url, 'ingest_gateway_credentials_expiry_timestamp_seconds');
    expect(Math.abs(expiry - Date.now() / 1000 - 3600)).toBeLessThan(60);
    await Promise.all(Array.from({ length: 50 }, () => nextSecretId(gateway)));
    expect(service.requestCount).toBe(1);
    await gateway.close();
    service.close();
  });

  it('are renewed at once when the cloud rejects them, and the call succeeds with the new ones', async () => {
    service.issued = { credentials: { ...TEMPORARY, token: 'revoked' }, lifetimeMs: 3_600_000 };
    const gateway = await startWithRole();
    service.issued = { credentials: TEMPORARY, lifetimeMs: 3_600_000 };
    await Promise.all(
      Array.from({ length: 5 }, () => stopTask(gateway.url, `revoked-${(signedCalls += 1)}`)),
    );
    expect(service.requestCount).toBe(2);
    expect(sandbox.receivedRequests().filter(({ responseCode }) => responseCode === 'OK')).toHaveLength(5);
    expect(await readMetric(gateway.url, 'tencentcloud_retries_total{reason="credentials"}')).toBe(5);
    await gateway.close();
    service.close();
  });

  it('are required: calls get 503 and are not sent until there are credentials', async () => {
    const gateway = await startWithRole();
    expect(await readiness(gateway)).toBe(503);
    const { status, headers, body } = await stopTask(gateway.url, 'a-task');
    expect({ status, ...body }).toMatchObject({
      status: 503,
      code: 'upstream-unavailable',
      outcome: 'not-sent',
    });
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(gateway.logs).toContainEqual(
      expect.objectContaining({ event: 'stop-completed', reason: 'no credentials' }),
    );
    expect(sandbox.receivedRequests()).toEqual([]);
    expect(
      await readMetric(gateway.url, 'ingest_gateway_credentials_last_reload_success_timestamp_seconds'),
    ).toBe(0);
    expect(await readMetric(gateway.url, 'ingest_gateway_quota_slots_in_use')).toBe(0);
    service.issued = { credentials: TEMPORARY, lifetimeMs: 3_600_000 };
    await eventually(async () => (await readiness(gateway)) === 200);
    expect(await nextSecretId(gateway)).toBe(TEMPORARY.secretId);
    await gateway.close();
    service.close();
  });
});

describe('credentials of a pod identity', () => {
  it('sign calls, and are renewed with the current token of the pod when the cloud rejects them', async () => {
    const service = await startSecurityTokenService(TEMPORARY);
    const tokenFile = join(folder, 'web-identity-token');
    await writeFile(tokenFile, 'first.pod.token\n');
    service.acceptedToken = 'first.pod.token';
    const gateway = await startGateway(sandbox, {
      ...NO_CREDENTIALS,
      TENCENTCLOUD_STS_ENDPOINT: service.url,
      TKE_REGION: 'ap-singapore',
      TKE_PROVIDER_ID: 'cluster-1',
      TKE_ROLE_ARN: 'qcs::cam::uin/1:roleName/stop',
      TKE_WEB_IDENTITY_TOKEN_FILE: tokenFile,
    });
    expect(await readiness(gateway)).toBe(200);
    expect(await nextSecretId(gateway)).toBe(TEMPORARY.secretId);
    expect(service.requests).toMatchObject([
      {
        headers: { authorization: 'SKIP', 'x-tc-action': 'AssumeRoleWithWebIdentity' },
        body: { ProviderId: 'cluster-1', WebIdentityToken: 'first.pod.token' },
      },
    ]);
    await replaceFileAtomically(tokenFile, 'second.pod.token');
    const error = { kind: 'error', code: 'AuthFailure.TokenFailure' } as const;
    sandbox.setFaults([{ fault: error, times: 1 }]);
    gateway.logs.length = 0;
    expect((await stopTask(gateway.url, 'pod-1')).status).toBe(502);
    expect(service.requests.at(-1)).toMatchObject({ body: { WebIdentityToken: 'second.pod.token' } });
    expect(gateway.logs).toContainEqual(
      expect.objectContaining({
        event: 'credentials-reload-failed',
        reason: 'the security token service rejected the request (InvalidParameter.WebIdentityTokenError)',
      }),
    );
    expect(JSON.stringify(gateway.logs)).not.toContain('pod.token');
    await gateway.close();
    service.close();
  });
});
