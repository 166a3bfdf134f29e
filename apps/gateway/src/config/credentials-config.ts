import {
  Credentials,
  isSecret,
  isSecretId,
  type CredentialSource,
  type CredentialSources,
  SECRET_ID_FORMAT,
  SECRET_FORMAT,
} from '#libs/tencent-cloud';
import { describeFileError } from '../files/describe-file-error.js';
import { readRegularFileSync } from '../files/read-regular-file.js';
import type { Environment } from './environment.js';

export type CredentialsConfig =
  | { readonly source: 'environment'; readonly credentials: Credentials }
  | { readonly source: 'files'; readonly sources: CredentialSources }
  | { readonly source: 'instance-metadata'; readonly role: string };

const NAMES = ['TENCENTCLOUD_SECRET_ID', 'TENCENTCLOUD_SECRET_KEY', 'TENCENTCLOUD_SESSION_TOKEN'] as const;

type Name = (typeof NAMES)[number];

/** Lists the errors of the credentials: missing, ambiguous or invalid. */
export function validateCredentials(environment: Environment): string[] {
  if (environment.TENCENTCLOUD_CVM_ROLE)
    return NAMES.flatMap((name) => [name, `${name}_FILE` as const])
      .filter((name) => environment[name])
      .map((name) => `${name} must not be set together with TENCENTCLOUD_CVM_ROLE`);
  return NAMES.flatMap((name) => {
    const file = environment[`${name}_FILE`];
    if (environment[name] && file) return [`${name} must not be set together with ${name}_FILE`];
    if (file) return validateFile(name, file);
    return environment[name] || name === 'TENCENTCLOUD_SESSION_TOKEN' ? [] : [`${name} is missing`];
  });
}

/** @param environment a valid one */
export function buildCredentialsConfig(environment: Environment): CredentialsConfig {
  const { TENCENTCLOUD_CVM_ROLE: role } = environment;
  if (role) return { source: 'instance-metadata', role };
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

function validateFile(name: Name, file: string): string[] {
  const [isValid, rule] =
    name === 'TENCENTCLOUD_SECRET_ID' ? [isSecretId, SECRET_ID_FORMAT] : [isSecret, SECRET_FORMAT];
  try {
    return isValid(readRegularFileSync(file).trimEnd()) ? [] : [`${name}_FILE must hold ${rule}`];
  } catch (error) {
    return [`${name}_FILE ${describeFileError(error)}`];
  }
}
