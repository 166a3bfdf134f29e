import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fingerprintOf } from './file-fingerprint.js';

/** An atomic replacement comes as several events, and a file written in place is not whole at the first. */
const SETTLE_MS = 50;

/** For what raises no event: network file systems, links into other folders, a folder that was replaced. */
const LOOK_EVERY_MS = 5000;

/**
 * Calls back after any of the files has become another one or other content: written in place, replaced by a
 * rename, or swapped with its folder as Kubernetes does it (`..data`).
 *
 * Nothing is read: a look costs one stat per file. The files need not exist.
 *
 * @param seen the fingerprint of the files when they were read; a change since then is reported as well
 * @returns ends it
 */
export function followFiles(files: readonly string[], onChange: () => void, seen?: string): () => void {
  const following = new Following(files, onChange, seen);
  return () => following.end();
}

class Following {
  readonly #watchers: FSWatcher[];
  readonly #timer: NodeJS.Timeout;
  #settling: NodeJS.Timeout | undefined;
  #seen: Promise<string>;
  #ended = false;

  constructor(
    private readonly files: readonly string[],
    private readonly onChange: () => void,
    seen?: string,
  ) {
    this.#seen = seen === undefined ? fingerprintOf(files) : Promise.resolve(seen);
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS).unref();
    this.#watchers = [...new Set(files.map((file) => dirname(file)))].flatMap((folder) =>
      this.#watch(folder),
    );
    if (seen !== undefined) void this.#look();
  }

  end(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers) watcher.close();
  }

  #watch(folder: string): FSWatcher[] {
    const ours = new Set(this.files.map((file) => basename(file)));
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || ours.has(name) || name.startsWith('..')) this.#lookSoon();
      });
      watcher.on('error', () => watcher.close());
      return [watcher];
    } catch {
      // No such folder, or no watches left on this machine: the regular look remains.
      return [];
    }
  }

  #lookSoon(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      void this.#look();
    }, SETTLE_MS).unref();
  }

  async #look(): Promise<void> {
    const before = this.#seen;
    const now = fingerprintOf(this.files);
    this.#seen = now;
    if ((await before) !== (await now) && !this.#ended) this.onChange();
  }
}
