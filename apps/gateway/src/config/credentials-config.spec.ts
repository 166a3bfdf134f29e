import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildCredentialsConfig, validateCredentials } from './credentials-config.js';
import { Environment } from './environment.js';

let folder: string;
let idFile: string;
let keyFile: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'credentials-config-'));
  idFile = join(folder, 'id');
  keyFile = join(folder, 'key');
  writeFileSync(idFile, 'AKIDfile\n');
  writeFileSync(keyFile, 'key,in/a-file\n');
});

afterAll(() => rmSync(folder, { recursive: true }));

function build(variables: Partial<Environment>) {
  const environment = Object.assign(new Environment(), variables);
  expect(validateCredentials(environment)).toEqual([]);
  return buildCredentialsConfig(environment);
}

describe('buildCredentialsConfig', () => {
  it('returns the credentials of the environment', () => {
    const config = build({
      TENCENTCLOUD_SECRET_ID: 'AKIDexample',
      TENCENTCLOUD_SECRET_KEY: 'secret-key',
      TENCENTCLOUD_SESSION_TOKEN: 'session-token',
    });
    expect(config).toMatchObject({
      source: 'environment',
      credentials: { secretId: 'AKIDexample', secretKey: 'secret-key', token: 'session-token' },
    });
  });

  it('returns the role of the instance metadata service', () => {
    expect(build({ TENCENTCLOUD_CVM_ROLE: 'stop-role' })).toEqual({
      source: 'instance-metadata',
      role: 'stop-role',
    });
  });

  const POD_IDENTITY = {
    TKE_REGION: 'ap-singapore',
    TKE_PROVIDER_ID: 'cluster-1',
    TKE_ROLE_ARN: 'qcs::cam::uin/1:roleName/stop',
  };

  it('returns the identity of the pod when no other source is configured', () => {
    expect(build({ ...POD_IDENTITY, TKE_WEB_IDENTITY_TOKEN_FILE: keyFile })).toEqual({
      source: 'pod-identity',
      endpoint: new URL('https://sts.intl.tencentcloudapi.com'),
      region: 'ap-singapore',
      providerId: 'cluster-1',
      roleArn: 'qcs::cam::uin/1:roleName/stop',
      tokenFile: keyFile,
    });
  });

  it.each<[string, Partial<Environment>]>([
    ['environment', { TENCENTCLOUD_SECRET_ID: 'AKIDexample', TENCENTCLOUD_SECRET_KEY: 'secret-key' }],
    ['instance-metadata', { TENCENTCLOUD_CVM_ROLE: 'stop-role' }],
  ])('returns the source %s also in a pod with an identity', (source, variables) => {
    expect(build({ ...POD_IDENTITY, TKE_WEB_IDENTITY_TOKEN_FILE: '/nowhere', ...variables })).toMatchObject({
      source,
    });
  });

  it('returns files if any variable names one, and hides the values beside it', () => {
    const config = build({
      TENCENTCLOUD_SECRET_ID: 'AKIDexample',
      TENCENTCLOUD_SECRET_KEY_FILE: keyFile,
    });
    expect(config).toEqual({
      source: 'files',
      sources: { secretId: { value: expect.any(Function) }, secretKey: { file: keyFile } },
    });
    expect(JSON.stringify(config)).not.toContain('AKIDexample');
  });

  it('returns the files of all three values', () => {
    const config = build({
      TENCENTCLOUD_SECRET_ID_FILE: idFile,
      TENCENTCLOUD_SECRET_KEY_FILE: keyFile,
      TENCENTCLOUD_SESSION_TOKEN_FILE: keyFile,
    });
    expect(config).toEqual({
      source: 'files',
      sources: { secretId: { file: idFile }, secretKey: { file: keyFile }, token: { file: keyFile } },
    });
  });
});

describe('validateCredentials', () => {
  it.each<[string, () => Partial<Environment>, unknown[]]>([
    ['a missing value', () => ({ TENCENTCLOUD_SECRET_KEY: 'k' }), ['TENCENTCLOUD_SECRET_ID is missing']],
    [
      'every value beside a role',
      () => ({
        TENCENTCLOUD_CVM_ROLE: 'stop-role',
        TENCENTCLOUD_SECRET_ID: 'AKIDexample',
        TENCENTCLOUD_SESSION_TOKEN_FILE: keyFile,
      }),
      [
        'TENCENTCLOUD_SECRET_ID must not be set together with TENCENTCLOUD_CVM_ROLE',
        'TENCENTCLOUD_SESSION_TOKEN_FILE must not be set together with TENCENTCLOUD_CVM_ROLE',
      ],
    ],
    [
      'a file with other content, and a missing file',
      () => ({
        TENCENTCLOUD_SECRET_ID_FILE: keyFile,
        TENCENTCLOUD_SECRET_KEY_FILE: join(folder, 'missing'),
      }),
      [
        'TENCENTCLOUD_SECRET_ID_FILE must hold visible ASCII without blanks, commas and slashes',
        expect.stringMatching(/^TENCENTCLOUD_SECRET_KEY_FILE .*ENOENT/),
      ],
    ],
    [
      'every missing part of a pod identity',
      () => ({ TKE_ROLE_ARN: 'qcs::cam::uin/1:roleName/stop' }),
      ['TKE_REGION is missing', 'TKE_PROVIDER_ID is missing', 'TKE_WEB_IDENTITY_TOKEN_FILE is missing'],
    ],
    [
      'a token file that cannot be read, beside what is missing',
      () => ({ TKE_WEB_IDENTITY_TOKEN_FILE: folder }),
      [
        'TKE_REGION is missing',
        'TKE_PROVIDER_ID is missing',
        'TKE_ROLE_ARN is missing',
        'TKE_WEB_IDENTITY_TOKEN_FILE cannot be read (EISDIR): it is a directory',
      ],
    ],
  ])('reports %s', (_, variables, errors) => {
    expect(validateCredentials(Object.assign(new Environment(), variables()))).toEqual(errors);
  });
});
