import type { ProxyOptions } from '#libs/tencent-cloud';
import { describeFileError } from '../files/describe-file-error.js';
import { readRegularFileSync } from '../files/read-regular-file.js';
import type { Environment } from './environment.js';

/** `user:password` in visible ASCII; a user cannot contain a colon. */
const CREDENTIALS = /^[!-9;-~]+:[!-~]+$/;

/** @param errors receives the errors of the variables and of the file */
export function buildProxyConfig(environment: Environment, errors: string[]): ProxyOptions | undefined {
  const { UPSTREAM_PROXY: url, UPSTREAM_PROXY_CREDENTIALS_FILE: file } = environment;
  if (url === undefined) {
    if (file !== undefined) errors.push('UPSTREAM_PROXY_CREDENTIALS_FILE needs UPSTREAM_PROXY');
    return undefined;
  }
  const credentials = file === undefined ? undefined : readCredentials(file, errors);
  // A function, so that no output of the configuration contains them.
  return URL.canParse(url) ? { url: new URL(url), credentials: () => credentials } : undefined;
}

function readCredentials(file: string, errors: string[]): string | undefined {
  try {
    const credentials = readRegularFileSync(file).trimEnd();
    if (CREDENTIALS.test(credentials)) return credentials;
    errors.push('UPSTREAM_PROXY_CREDENTIALS_FILE must hold user:password in visible ASCII without blanks');
  } catch (error) {
    errors.push(`UPSTREAM_PROXY_CREDENTIALS_FILE ${describeFileError(error)}`);
  }
  return undefined;
}
