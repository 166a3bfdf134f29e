import { readFileSync } from 'node:fs';
import {
  Credentials,
  isSecret,
  isSecretId,
  type Part,
  SECRET_ID_RULE,
  SECRET_RULE,
} from '#libs/tencent-cloud';
import type { CredentialsSetting } from '../credentials/credentials-setting.js';
import type { Environment } from './environment.js';
import { unreadable } from './unreadable.js';

const NAMES = ['TENCENTCLOUD_SECRET_ID', 'TENCENTCLOUD_SECRET_KEY', 'TENCENTCLOUD_SESSION_TOKEN'] as const;

type Name = (typeof NAMES)[number];

/** Why there are no credentials in an environment, or more than one kind of them. */
export function credentialsFaults(environment: Environment): string[] {
  if (environment.TENCENTCLOUD_CVM_ROLE)
    return NAMES.flatMap((name) => [name, `${name}_FILE` as const])
      .filter((name) => environment[name])
      .map((name) => `${name} must not be set beside TENCENTCLOUD_CVM_ROLE`);
  return NAMES.flatMap((name) => {
    const file = environment[`${name}_FILE`];
    if (environment[name] && file) return [`${name} must not be set beside ${name}_FILE`];
    if (file) return fileFaults(name, file);
    return environment[name] || name === 'TENCENTCLOUD_SESSION_TOKEN' ? [] : [`${name} is missing`];
  });
}

/** @param environment one without faults */
export function credentialsFrom(environment: Environment): CredentialsSetting {
  const { TENCENTCLOUD_CVM_ROLE: role } = environment;
  if (role) return { from: 'instance-role', role };
  const [secretId, secretKey, token] = NAMES.map((name) => partOf(environment, name));
  if (NAMES.some((name) => environment[`${name}_FILE`]))
    return { from: 'files', parts: { secretId: secretId!, secretKey: secretKey!, ...(token && { token }) } };
  const { TENCENTCLOUD_SECRET_ID: id, TENCENTCLOUD_SECRET_KEY: key } = environment;
  return {
    from: 'environment',
    credentials: new Credentials(id!, key!, environment.TENCENTCLOUD_SESSION_TOKEN),
  };
}

function partOf(environment: Environment, name: Name): Part | undefined {
  const file = environment[`${name}_FILE`];
  if (file) return { file };
  const text = environment[name];
  return text === undefined ? undefined : { given: () => text };
}

function fileFaults(name: Name, file: string): string[] {
  const [holds, rule] =
    name === 'TENCENTCLOUD_SECRET_ID' ? [isSecretId, SECRET_ID_RULE] : [isSecret, SECRET_RULE];
  try {
    return holds(readFileSync(file, 'utf8').trimEnd()) ? [] : [`${name}_FILE must hold ${rule}`];
  } catch (error) {
    return [`${name}_FILE ${unreadable(error)}`];
  }
}
