import { statSync } from 'node:fs';
import { describeFileError } from '../files/describe-file-error.js';
import { readRegularFileSync } from '../files/read-regular-file.js';
import { fingerprintOf } from '../files/watch-files.js';
import { InvalidCallersFileError, parseCallers } from './callers-file.js';
import type { Environment } from './environment.js';

/**
 * Reads and parses CALLERS_FILE, once.
 *
 * @param errors the list to which every error is added
 */
export function buildAuthConfig({ CALLERS_FILE: path, ALLOW_ANONYMOUS }: Environment, errors: string[]) {
  const isAnonymous = ALLOW_ANONYMOUS === 'true';
  if (isAnonymous && path) errors.push('ALLOW_ANONYMOUS must not be true together with CALLERS_FILE');
  if (!path && ALLOW_ANONYMOUS === 'false')
    errors.push(
      'CALLERS_FILE is missing (or ALLOW_ANONYMOUS=true: the gateway does not start without authentication by accident)',
    );
  /** undefined: no keys are required, and every caller is `anonymous`. */
  const callersFile = path && !isAnonymous ? readCallersFile(path, errors) : undefined;
  return { callersFile };
}

function readCallersFile(path: string, errors: string[]) {
  try {
    // Before the file is read: with it, the watcher detects later changes.
    const fingerprint = fingerprintOf([statSync(path, { bigint: true })]);
    const content = readRegularFileSync(path);
    return { path, content, callers: parseCallers(content), fingerprint };
  } catch (error) {
    const messages = error instanceof InvalidCallersFileError ? error.errors : [describeFileError(error)];
    errors.push(...messages.map((message) => `CALLERS_FILE: ${message}`));
    return undefined;
  }
}
