import type { ProxyOptions } from '#libs/tencent-cloud';
import { describeFileError } from '../files/describe-file-error.js';
import { readRegularFile, readRegularFileSync } from '../files/read-regular-file.js';
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
  const credentials = file === undefined ? async () => undefined : credentialsIn(file, errors);
  return URL.canParse(url) ? { url: new URL(url), credentials } : undefined;
}

/** Returns a function that reads the file again, or returns the last valid content. */
function credentialsIn(file: string, errors: string[]): () => Promise<string | undefined> {
  let current: string | undefined;
  try {
    const content = readRegularFileSync(file).trimEnd();
    if (CREDENTIALS.test(content)) current = content;
    else
      errors.push('UPSTREAM_PROXY_CREDENTIALS_FILE must hold user:password in visible ASCII without blanks');
  } catch (error) {
    errors.push(`UPSTREAM_PROXY_CREDENTIALS_FILE ${describeFileError(error)}`);
  }
  return async () => {
    const content = (await readRegularFile(file).catch(() => '')).trimEnd();
    if (CREDENTIALS.test(content)) current = content;
    return current;
  };
}
