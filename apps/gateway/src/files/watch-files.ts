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
  const watcher = new FileWatcher(files, onChange, fingerprint);
  return () => watcher.stop();
}

/** Returns a text that changes when a file changes. undefined stands for a missing file. */
export function fingerprintOf(stats: readonly (BigIntStats | undefined)[]): string {
  return stats
    .map((entry) =>
      entry ? [entry.dev, entry.ino, entry.size, entry.mtimeNs, entry.ctimeNs].join(':') : '-',
    )
    .join(' ');
}

class FileWatcher {
  readonly #watchers: FSWatcher[];
  readonly #timer: NodeJS.Timeout;
  #debounce: NodeJS.Timeout | undefined;
  #fingerprint: Promise<string>;
  #stopped = false;

  constructor(
    private readonly files: readonly string[],
    private readonly onChange: () => void,
    fingerprint: string | undefined,
  ) {
    this.#fingerprint = fingerprint === undefined ? statFingerprint(files) : Promise.resolve(fingerprint);
    this.#timer = setInterval(() => void this.#check(), POLL_INTERVAL_MS).unref();
    this.#watchers = [...new Set(files.map((file) => dirname(file)))].flatMap((folder) =>
      this.#watchFolder(folder),
    );
    if (fingerprint !== undefined) void this.#check();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#debounce);
    for (const watcher of this.#watchers) watcher.close();
  }

  #watchFolder(folder: string): FSWatcher[] {
    const names = new Set(this.files.map((file) => basename(file)));
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || names.has(name) || name.startsWith('..')) this.#checkSoon();
      });
      watcher.on('error', () => watcher.close());
      return [watcher];
    } catch {
      // No such folder, or no watches left on this machine: polling remains.
      return [];
    }
  }

  #checkSoon(): void {
    this.#debounce ??= setTimeout(() => {
      this.#debounce = undefined;
      void this.#check();
    }, DEBOUNCE_MS).unref();
  }

  async #check(): Promise<void> {
    const before = this.#fingerprint;
    const now = statFingerprint(this.files);
    this.#fingerprint = now;
    if ((await before) !== (await now) && !this.#stopped) this.onChange();
  }
}

/** Links are followed. */
async function statFingerprint(files: readonly string[]): Promise<string> {
  return fingerprintOf(
    await Promise.all(files.map((file) => stat(file, { bigint: true }).catch(() => undefined))),
  );
}
