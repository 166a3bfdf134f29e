import {
  Credentials,
  isSecret,
  isSecretId,
  type CredentialSource,
  type CredentialSources,
  SECRET_ID_FORMAT,
  SECRET_FORMAT,
  type WebIdentityOptions,
} from '#libs/tencent-cloud';
import { describeFileError } from '../files/describe-file-error.js';
import { readRegularFileSync } from '../files/read-regular-file.js';
import type { Environment } from './environment.js';

export type CredentialsConfig =
  | { readonly source: 'environment'; readonly credentials: Credentials }
  | { readonly source: 'files'; readonly sources: CredentialSources }
  | { readonly source: 'instance-metadata'; readonly role: string }
  | ({ readonly source: 'pod-identity' } & Pick<
      WebIdentityOptions,
      'endpoint' | 'region' | 'providerId' | 'roleArn' | 'tokenFile'
    >);

const NAMES = ['TENCENTCLOUD_SECRET_ID', 'TENCENTCLOUD_SECRET_KEY', 'TENCENTCLOUD_SESSION_TOKEN'] as const;

type Name = (typeof NAMES)[number];

/** Injected by the cluster (TKE) into pods whose service account has a CAM role. */
const POD_IDENTITY = [
  'TKE_REGION',
  'TKE_PROVIDER_ID',
  'TKE_WEB_IDENTITY_TOKEN_FILE',
  'TKE_ROLE_ARN',
] as const;

/** Lists the errors of the credentials: missing, ambiguous or invalid. */
export function validateCredentials(environment: Environment): string[] {
  if (environment.TENCENTCLOUD_CVM_ROLE)
    return NAMES.flatMap((name) => [name, `${name}_FILE` as const])
      .filter((name) => environment[name])
      .map((name) => `${name} must not be set together with TENCENTCLOUD_CVM_ROLE`);
  if (usesPodIdentity(environment)) return validatePodIdentity(environment);
  return NAMES.flatMap((name) => {
    const file = environment[`${name}_FILE`];
    if (environment[name] && file) return [`${name} must not be set together with ${name}_FILE`];
    if (file) return validateFile(`${name}_FILE`, file);
    return environment[name] || name === 'TENCENTCLOUD_SESSION_TOKEN' ? [] : [`${name} is missing`];
  });
}

/** @param environment a valid one */
export function buildCredentialsConfig(environment: Environment): CredentialsConfig {
  const { TENCENTCLOUD_CVM_ROLE: role } = environment;
  if (role) return { source: 'instance-metadata', role };
  if (usesPodIdentity(environment))
    return {
      source: 'pod-identity',
      endpoint: new URL(environment.TENCENTCLOUD_STS_ENDPOINT),
      region: environment.TKE_REGION!,
      providerId: environment.TKE_PROVIDER_ID!,
      roleArn: environment.TKE_ROLE_ARN!,
      tokenFile: environment.TKE_WEB_IDENTITY_TOKEN_FILE!,
    };
  const [secretId, secretKey, token] = NAMES.map((name) => credentialSource(environment, name));
  if (NAMES.some((name) => environment[`${name}_FILE`]))
    return {
      source: 'files',
      sources: { secretId: secretId!, secretKey: secretKey!, ...(token && { token }) },
    };
  const { TENCENTCLOUD_SECRET_ID: id, TENCENTCLOUD_SECRET_KEY: key } = environment;
  return {
    source: 'environment',
    credentials: new Credentials(id!, key!, environment.TENCENTCLOUD_SESSION_TOKEN),
  };
}

function credentialSource(environment: Environment, name: Name): CredentialSource | undefined {
  const { [name]: text, [`${name}_FILE` as const]: file } = environment;
  if (file) return { file };
  return text === undefined ? undefined : { value: () => text };
}

/** Only without another source, because the cluster injects its variables into every pod of the service account. */
function usesPodIdentity(environment: Environment): boolean {
  const hasOtherSource = NAMES.some((name) => environment[name] ?? environment[`${name}_FILE`]);
  return !hasOtherSource && POD_IDENTITY.some((name) => environment[name]);
}

function validatePodIdentity(environment: Environment): string[] {
  const missing = POD_IDENTITY.filter((name) => !environment[name]).map((name) => `${name} is missing`);
  const { TKE_WEB_IDENTITY_TOKEN_FILE: file } = environment;
  return file ? [...missing, ...validateFile('TKE_WEB_IDENTITY_TOKEN_FILE', file)] : missing;
}

function validateFile(variable: string, file: string): string[] {
  const [isValid, rule] =
    variable === 'TENCENTCLOUD_SECRET_ID_FILE' ? [isSecretId, SECRET_ID_FORMAT] : [isSecret, SECRET_FORMAT];
  try {
    return isValid(readRegularFileSync(file).trimEnd()) ? [] : [`${variable} must hold ${rule}`];
  } catch (error) {
    return [`${variable} ${describeFileError(error)}`];
  }
}
