import { readFileSync } from 'node:fs';
import { fingerprintOfSync } from '../files/file-fingerprint.js';
import type { CallerEntry } from './key-ring.js';
import { readCallers } from './read-callers.js';

/** CALLERS_FILE as it was read at start. */
export interface LoadedCallersFile {
  readonly path: string;
  readonly content: string;
  readonly entries: readonly CallerEntry[];
  /** Taken before the file was read: if it differs now, the file may have changed since. */
  readonly fingerprint: string;
}

/** @throws InvalidCallers, or the system's error, when the file cannot be used */
export function loadCallersFile(path: string): LoadedCallersFile {
  const fingerprint = fingerprintOfSync([path]);
  const content = readFileSync(path, 'utf8');
  return { path, content, entries: readCallers(content), fingerprint };
}
