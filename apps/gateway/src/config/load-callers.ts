import { type LoadedCallersFile, loadCallersFile } from '../callers/loaded-callers-file.js';
import { InvalidCallers } from '../callers/read-callers.js';
import { unreadable } from './unreadable.js';
import type { Environment } from './environment.js';

/**
 * Reads CALLERS_FILE, once.
 *
 * @param addError is called with each reason why nobody could call a gateway of this environment, or why anybody could
 *   without being meant to
 * @returns undefined when there is no file, or an error
 */
export function loadCallers(
  { CALLERS_FILE, ALLOW_ANONYMOUS }: Environment,
  addError: (error: string) => void,
): LoadedCallersFile | undefined {
  const anonymous = ALLOW_ANONYMOUS === 'true';
  if (anonymous && CALLERS_FILE) addError('ALLOW_ANONYMOUS must not be true beside CALLERS_FILE');
  if (anonymous || !['true', 'false'].includes(ALLOW_ANONYMOUS)) return undefined;
  if (CALLERS_FILE) return loadFile(CALLERS_FILE, addError);
  addError('CALLERS_FILE is missing (or ALLOW_ANONYMOUS=true: the gateway does not start open by accident)');
  return undefined;
}

function loadFile(path: string, addError: (error: string) => void): LoadedCallersFile | undefined {
  try {
    return loadCallersFile(path);
  } catch (error) {
    const errors = error instanceof InvalidCallers ? error.faults : [unreadable(error)];
    for (const each of errors) addError(`CALLERS_FILE: ${each}`);
    return undefined;
  }
}
