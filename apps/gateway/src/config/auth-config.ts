import { readFileSync, statSync } from 'node:fs';
import { describeFileError } from '../files/describe-file-error.js';
import { fingerprintOf } from '../files/watch-files.js';
import { type CallerKey, InvalidCallersFileError, parseCallers } from './callers-file.js';
import type { Environment } from './environment.js';

/** Who may call. */
export interface AuthConfig {
  /** undefined: everybody may call, as `anonymous`. */
  readonly callersFile: CallersFile | undefined;
}

/** CALLERS_FILE as it was at start. */
export interface CallersFile {
  readonly path: string;
  readonly content: string;
  readonly callers: readonly CallerKey[];
  /** Of the file before it was read: tells the watcher whether it has changed since. */
  readonly fingerprint: string;
}

/**
 * Reads and parses CALLERS_FILE, once.
 *
 * @param errors receives every error
 */
export function buildAuthConfig(
  { CALLERS_FILE: path, ALLOW_ANONYMOUS }: Environment,
  errors: string[],
): AuthConfig {
  const isAnonymous = ALLOW_ANONYMOUS === 'true';
  if (isAnonymous && path) errors.push('ALLOW_ANONYMOUS must not be true together with CALLERS_FILE');
  if (!path && ALLOW_ANONYMOUS === 'false')
    errors.push(
      'CALLERS_FILE is missing (or ALLOW_ANONYMOUS=true: the gateway does not start without authentication by accident)',
    );
  return { callersFile: path && !isAnonymous ? readCallersFile(path, errors) : undefined };
}

function readCallersFile(path: string, errors: string[]): CallersFile | undefined {
  try {
    const fingerprint = fingerprintOf([statSync(path, { bigint: true })]);
    const content = readFileSync(path, 'utf8');
    return { path, content, callers: parseCallers(content), fingerprint };
  } catch (error) {
    const found = error instanceof InvalidCallersFileError ? error.errors : [describeFileError(error)];
    errors.push(...found.map((each) => `CALLERS_FILE: ${each}`));
    return undefined;
  }
}
