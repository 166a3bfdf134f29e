import { readFileSync } from 'node:fs';
import { InvalidCallers, readCallers } from '../callers/read-callers.js';
import { unreadable } from './unreadable.js';
import type { Environment } from './environment.js';

/** Why nobody could call a gateway of this environment, or why anybody could without being meant to. */
export function callersFaults({ CALLERS_FILE, ALLOW_ANONYMOUS }: Environment): string[] {
  const anonymous = ALLOW_ANONYMOUS === 'true';
  if (anonymous && CALLERS_FILE) return ['ALLOW_ANONYMOUS must not be true beside CALLERS_FILE'];
  if (anonymous || !['true', 'false'].includes(ALLOW_ANONYMOUS)) return [];
  if (!CALLERS_FILE)
    return ['CALLERS_FILE is missing (or ALLOW_ANONYMOUS=true: the gateway does not start open by accident)'];
  return fileFaults(CALLERS_FILE).map((fault) => `CALLERS_FILE: ${fault}`);
}

function fileFaults(file: string): readonly string[] {
  try {
    readCallers(readFileSync(file, 'utf8'));
    return [];
  } catch (error) {
    if (error instanceof InvalidCallers) return error.faults;
    return [unreadable(error)];
  }
}
