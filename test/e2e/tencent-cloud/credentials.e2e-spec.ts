import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { SandboxCredentials } from '../../../apps/sandbox/src/credentials.js';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { createTempFolder, replaceFileAtomically } from '../../support/callers-file.js';
import { send, stopTask } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { type Gateway, startGateway, variablesFor } from '../../support/gateway.js';
import { type MetadataService, startMetadataService } from '../../support/metadata-service.js';
import { GatewayProcess } from '../../support/process.js';

const OLD: SandboxCredentials = { secretId: 'AKIDold', secretKey: 'old-key' };
const NEW: SandboxCredentials = { secretId: 'AKIDnew', secretKey: 'generate-api-key' };
const TEMPORARY: SandboxCredentials = { secretId: 'AKIDtmp', secretKey: 'tmp-key', token: 'tmp/token+1==' };

let sandbox: Sandbox;
let folder: Awaited<ReturnType<typeof createTempFolder>>;

beforeAll(async () => {
  sandbox = await startSandbox({
    acceptUnknownTasks: true,
    quotaPerSecond: 1000,
    credentials: [OLD, NEW, TEMPORARY],
  });
  folder = await createTempFolder();
});

afterAll(async () => {
  await sandbox.close();
  await folder.remove();
});

beforeEach(() => sandbox.clearReceivedRequests());

const NO_CREDENTIALS = { TENCENTCLOUD_SECRET_ID: '', TENCENTCLOUD_SECRET_KEY: '', QUOTA_PER_SECOND: '1000' };

const metric = async (gateway: Gateway, name: string): Promise<number> => {
  const { text } = await send(gateway.url, '/metrics', { method: 'GET' });
  return Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)![1]!.replace('+Inf', 'Infinity'));
};

const ready = async (gateway: Gateway): Promise<number> =>
  (await send(gateway.url, '/readyz', { method: 'GET' })).status;

let signers = 0;

/** Whose credentials the call that arrives next is signed with; it must be accepted. */
async function signer(gateway: Gateway): Promise<string> {
  // Each time another task: of one that has ended, the cloud is not asked again.
  const { status } = await stopTask(gateway.url, `whose-${(signers += 1)}`);
  expect(status).toBe(200);
  const { authorization = '' } = sandbox.receivedRequests().at(-1)!.headers;
  return /Credential=([^/]+)/.exec(authorization)![1]!;
}

const writeCredentialFiles = async (name: string): Promise<{ id: string; key: string }> => {
  const own = join(folder.path, name);
  await mkdir(own);
  const files = { id: join(own, 'secret-id'), key: join(own, 'secret-key') };
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
  it('sign, and the ones that follow them do, without a restart', async () => {
    const files = await writeCredentialFiles('replaced');
    const gateway = await startWithFiles(files);
    expect(await signer(gateway)).toBe(OLD.secretId);
    expect(
      await metric(gateway, 'ingest_gateway_credentials_last_reload_success_timestamp_seconds'),
    ).toBeGreaterThan(1.7e9);
    expect(await metric(gateway, 'ingest_gateway_credentials_expiry_timestamp_seconds')).toBe(Infinity);
    await replaceFileAtomically(files.id, NEW.secretId);
    await replaceFileAtomically(files.key, NEW.secretKey);
    await eventually(async () => (await signer(gateway)) === NEW.secretId);
    await gateway.close();
  });

  it('sign after a swap of their folder, as Kubernetes does it', async () => {
    const mount = join(folder.path, 'mount');
    for (const [version, credentials] of [['..v1', OLD] as const, ['..v2', NEW] as const]) {
      await mkdir(join(mount, version), { recursive: true });
      await writeFile(join(mount, version, 'id'), credentials.secretId);
      await writeFile(join(mount, version, 'key'), credentials.secretKey);
    }
    await symlink('..v1', join(mount, '..data'));
    for (const name of ['id', 'key']) await symlink(join('..data', name), join(mount, name));
    const gateway = await startWithFiles({ id: join(mount, 'id'), key: join(mount, 'key') });
    expect(await signer(gateway)).toBe(OLD.secretId);
    await symlink('..v2', join(mount, '..data_tmp'));
    await rename(join(mount, '..data_tmp'), join(mount, '..data'));
    await eventually(async () => (await signer(gateway)) === NEW.secretId);
    await gateway.close();
  });

  it('stay while only one half of the new ones is there: no call fails meanwhile', async () => {
    const files = await writeCredentialFiles('one-half');
    const gateway = await startWithFiles(files);
    await replaceFileAtomically(files.id, NEW.secretId);
    await eventually(
      async () => (await metric(gateway, 'ingest_gateway_credentials_reload_failures_total')) > 0,
    );
    expect(await signer(gateway)).toBe(OLD.secretId);
    expect(await ready(gateway)).toBe(200);
    await replaceFileAtomically(files.key, NEW.secretKey);
    await eventually(async () => (await signer(gateway)) === NEW.secretId);
    await gateway.close();
  });
});

describe('credentials of the instance’s role', () => {
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

  it('sign, with their token, and their expiry is known', async () => {
    service.issued = { credentials: TEMPORARY, lifeMs: 3_600_000 };
    const gateway = await startWithRole();
    expect(await ready(gateway)).toBe(200);
    expect(await signer(gateway)).toBe(TEMPORARY.secretId);
    expect(sandbox.receivedRequests()[0]!.headers['x-tc-token']).toBe(TEMPORARY.token);
    const expiry = await metric(gateway, 'ingest_gateway_credentials_expiry_timestamp_seconds');
    expect(Math.abs(expiry - Date.now() / 1000 - 3600)).toBeLessThan(60);
    await Promise.all(Array.from({ length: 50 }, () => signer(gateway)));
    expect(service.requestCount).toBe(1);
    await gateway.close();
    service.close();
  });

  it('are missed: nothing is sent, neither unsigned nor signed, until there are some', async () => {
    const gateway = await startWithRole();
    expect(await ready(gateway)).toBe(503);
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
    expect(await metric(gateway, 'ingest_gateway_credentials_last_reload_success_timestamp_seconds')).toBe(0);
    expect(await metric(gateway, 'ingest_gateway_quota_slots_in_use')).toBe(0);
    service.issued = { credentials: TEMPORARY, lifeMs: 3_600_000 };
    await eventually(async () => (await ready(gateway)) === 200);
    expect(await signer(gateway)).toBe(TEMPORARY.secretId);
    await gateway.close();
    service.close();
  });
});

const NO_SUCH_FILE =
  '(ENOENT): there is no such file; a relative path starts in the folder where the gateway was started';

describe('a gateway that is to start does not', () => {
  it.each([
    [
      'with files that are not there',
      { TENCENTCLOUD_SECRET_ID_FILE: '/nowhere/id', TENCENTCLOUD_SECRET_KEY_FILE: '/nowhere/key' },
      [
        `TENCENTCLOUD_SECRET_ID_FILE cannot be read ${NO_SUCH_FILE}`,
        `TENCENTCLOUD_SECRET_KEY_FILE cannot be read ${NO_SUCH_FILE}`,
      ],
    ],
    [
      'with a file that holds no secret',
      { TENCENTCLOUD_SECRET_ID: 'AKIDx', TENCENTCLOUD_SECRET_KEY_FILE: 'LICENSE' },
      ['TENCENTCLOUD_SECRET_KEY_FILE must hold visible ASCII without blanks'],
    ],
    [
      'with one secret given twice',
      { TENCENTCLOUD_SECRET_ID: 'AKIDx', TENCENTCLOUD_SECRET_KEY: 'x', TENCENTCLOUD_SECRET_KEY_FILE: 'x' },
      ['TENCENTCLOUD_SECRET_KEY must not be set together with TENCENTCLOUD_SECRET_KEY_FILE'],
    ],
    [
      'with a role beside keys',
      { TENCENTCLOUD_SECRET_ID: 'AKIDx', TENCENTCLOUD_CVM_ROLE: 'stop-role' },
      ['TENCENTCLOUD_SECRET_ID must not be set together with TENCENTCLOUD_CVM_ROLE'],
    ],
  ])('%s', async (_, variables, errors) => {
    const { code, stderr } = await new GatewayProcess({
      ...variablesFor(sandbox),
      ...NO_CREDENTIALS,
      ...variables,
    }).finished;
    expect(code).toBe(78);
    expect(stderr.match(/^ {2}- .*$/gm)).toEqual(errors.map((error) => `  - ${error}`));
  });
});
