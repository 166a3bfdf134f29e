import { readFile } from 'node:fs/promises';
import type { Clock } from '../clock.js';
import { Credentials } from './credentials.js';
import { NoCredentials } from './no-credentials.js';
import { isSecret, isSecretId } from './secret-text.js';
import type { CredentialsObserver, CredentialsSource } from './source.js';

/** Nobody who replaces several files does so in one moment: only what stays for so long is one state of them. */
const SETTLE_MS = 50;

/** Readings until the files are given up as unsettled; their next change begins anew. */
const READINGS = 20;

/** When a caller may ask again after the files were of no use. */
const RETRY_AFTER_MS = 5000;

/** Files that are of no use are read again after this, and reported for as long as that lasts. */
const AGAIN_MS = 60_000;

/** One part of the credentials: in a file, or given (as a function, which shows nothing to whoever prints it). */
export type Part = { readonly file: string } | { readonly given: () => string };

export interface Parts {
  readonly secretId: Part;
  readonly secretKey: Part;
  /** Of temporary credentials. */
  readonly token?: Part;
}

export interface FileCredentialsOptions {
  parts: Parts;
  clock: Clock;
  /** Calls back after any of the files has changed, or may have; returns what ends that. */
  follow: (files: readonly string[], onChange: () => void) => () => void;
  observer?: CredentialsObserver;
}

/**
 * Credentials in files, such as secrets of Docker or Kubernetes, read anew when they change. A new pair is taken as a
 * whole: its parts must have stopped changing, and each of them must differ from the pair before, because the cloud
 * never gives a new key for an old id.
 */
export class FileCredentials implements CredentialsSource {
  readonly #options: FileCredentialsOptions;
  readonly #parts: readonly Part[];
  #texts: readonly string[] | undefined;
  #credentials: Credentials | undefined;
  #unfollow: (() => void) | undefined;
  #loading: Promise<void> = Promise.resolve();
  #cancelAgain: (() => void) | undefined;

  constructor(options: FileCredentialsOptions) {
    this.#options = options;
    const { secretId, secretKey, token } = options.parts;
    this.#parts = [secretId, secretKey, ...(token ? [token] : [])];
  }

  start(): Promise<void> {
    const files = this.#parts.flatMap((part) => ('file' in part ? [part.file] : []));
    this.#unfollow = this.#options.follow(files, () => void this.#loadNext());
    return this.#loadNext();
  }

  current(): Credentials {
    if (!this.#credentials) throw new NoCredentials(RETRY_AFTER_MS);
    return this.#credentials;
  }

  stop(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
    this.#cancelAgain?.();
  }

  /** One after the other, so that an older reading never replaces a newer one. */
  #loadNext(): Promise<void> {
    this.#loading = this.#loading.then(() => this.#load());
    return this.#loading;
  }

  async #load(): Promise<void> {
    this.#cancelAgain?.();
    try {
      this.#take(await this.#settled());
    } catch (error) {
      if (!this.#unfollow) return;
      this.#options.observer?.failed(reasonOf(error));
      this.#cancelAgain = this.#options.clock.wakeIn(AGAIN_MS, () => void this.#loadNext());
    }
  }

  #take(texts: readonly string[]): void {
    const changed = this.#parts.map((part, at) => !('file' in part) || texts[at] !== this.#texts?.[at]);
    const anything = texts.some((text, at) => text !== this.#texts?.[at]);
    if (!anything) return;
    if (!changed.every(Boolean)) throw new Unusable('only a part of the credentials has changed');
    const [secretId = '', secretKey = '', token] = texts;
    if (!isSecretId(secretId) || !isSecret(secretKey) || (token !== undefined && !isSecret(token)))
      throw new Unusable('the files do not hold credentials');
    this.#texts = texts;
    this.#credentials = new Credentials(secretId, secretKey, token);
    this.#options.observer?.loaded(Infinity);
  }

  async #settled(): Promise<readonly string[]> {
    let before = await this.#read();
    for (let reading = 1; reading < READINGS; reading += 1) {
      await new Promise<void>((resolve) => {
        this.#options.clock.wakeIn(SETTLE_MS, resolve);
      });
      const now = await this.#read();
      if (now.every((text, at) => text === before[at])) return now;
      before = now;
    }
    throw new Unusable('the files do not stop changing');
  }

  #read(): Promise<string[]> {
    return Promise.all(
      this.#parts.map(async (part) =>
        'file' in part ? (await readFile(part.file, 'utf8')).trimEnd() : part.given(),
      ),
    );
  }
}

class Unusable extends Error {}

function reasonOf(error: unknown): string {
  if (error instanceof Unusable) return error.message;
  return `a file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`;
}
