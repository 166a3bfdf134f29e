import { type BigIntStats, type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

/** An atomic replacement raises several events, and a file that is written in place is incomplete at the first one. */
const DEBOUNCE_MS = 50;

/** For changes without an event: network file systems, links into other folders, a replaced folder. */
const POLL_INTERVAL_MS = 5000;

/**
 * Calls `onChange` after any of the files has changed: written in place, replaced by a rename, or replaced with its
 * folder, as Kubernetes does (`..data`). The files need not exist. A check costs one stat per file.
 *
 * @param fingerprint the {@link fingerprintOf} the files when they were last read; default: of the current files
 * @returns a function that stops watching
 */
export function watchFiles(files: readonly string[], onChange: () => void, fingerprint?: string): () => void {
  let current = fingerprint === undefined ? statFingerprint(files) : Promise.resolve(fingerprint);
  let debounce: NodeJS.Timeout | undefined;
  let isStopped = false;
  let isChecking = false;
  const check = async (): Promise<void> => {
    // A file system that does not respond blocks a thread for each check. The reader has a timeout and reports it.
    if (isChecking) return onChange();
    isChecking = true;
    const before = current;
    const now = statFingerprint(files);
    current = now;
    const isChanged = (await before) !== (await now);
    isChecking = false;
    if (isChanged && !isStopped) onChange();
  };
  const checkSoon = (): void => {
    debounce ??= setTimeout(() => {
      debounce = undefined;
      void check();
    }, DEBOUNCE_MS).unref();
  };
  const timer = setInterval(() => void check(), POLL_INTERVAL_MS).unref();
  const names = new Set(files.map((file) => basename(file)));
  const folders = new Set(files.map((file) => dirname(file)));
  const watchers = [...folders].flatMap((folder) => watchFolder(folder, names, checkSoon));
  if (fingerprint !== undefined) void check();
  return () => {
    isStopped = true;
    clearInterval(timer);
    clearTimeout(debounce);
    for (const watcher of watchers) watcher.close();
  };
}

/** Returns a text that changes when a file changes. undefined stands for a missing file. */
export function fingerprintOf(stats: readonly (BigIntStats | undefined)[]): string {
  return stats
    .map((entry) =>
      entry ? [entry.dev, entry.ino, entry.size, entry.mtimeNs, entry.ctimeNs].join(':') : '-',
    )
    .join(' ');
}

function watchFolder(folder: string, names: ReadonlySet<string>, onEvent: () => void): FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      if (name === null || names.has(name) || name.startsWith('..')) onEvent();
    });
    watcher.on('error', () => watcher.close());
    return [watcher];
  } catch {
    // No such folder, or no watches left on this machine: polling remains.
    return [];
  }
}

/** Links are followed. */
async function statFingerprint(files: readonly string[]): Promise<string> {
  return fingerprintOf(
    await Promise.all(files.map((file) => stat(file, { bigint: true }).catch(() => undefined))),
  );
}
