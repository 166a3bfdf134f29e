import { readFile } from 'node:fs/promises';
import type { Clock } from '../clock.js';
import { Credentials } from './credentials.js';
import { CredentialsUnavailableError } from './credentials-unavailable-error.js';
import { isSecret, isSecretId } from './credential-format.js';
import type { CredentialsObserver, CredentialsProvider } from './credentials-provider.js';

/** Nobody who replaces several files does so in one moment: only what stays for so long is one state of them. */
const READ_INTERVAL_MS = 50;

/** Readings until the files are given up as unsettled; their next change begins anew. */
const MAX_READS = 20;

/** When a caller may ask again after the files were of no use. */
const RETRY_AFTER_MS = 5000;

/** Files that are of no use are read again after this, and reported for as long as that lasts. */
const RETRY_INTERVAL_MS = 60_000;

/** One part of the credentials: in a file, or given (as a function, which shows nothing to whoever prints it). */
export type CredentialSource = { readonly file: string } | { readonly value: () => string };

export interface CredentialSources {
  readonly secretId: CredentialSource;
  readonly secretKey: CredentialSource;
  /** Of temporary credentials. */
  readonly token?: CredentialSource;
}

export interface FileCredentialsProviderOptions {
  sources: CredentialSources;
  clock: Clock;
  /** Calls back after any of the files has changed, or may have; returns what ends that. */
  watch: (files: readonly string[], onChange: () => void) => () => void;
  observer?: CredentialsObserver;
}

/**
 * Credentials in files, such as secrets of Docker or Kubernetes, read anew when they change. A new pair is taken as a
 * whole: its parts must have stopped changing, and each of them must differ from the pair before, because the cloud
 * never gives a new key for an old id.
 */
export class FileCredentialsProvider implements CredentialsProvider {
  readonly #options: FileCredentialsProviderOptions;
  readonly #sources: readonly CredentialSource[];
  #contents: readonly string[] | undefined;
  #credentials: Credentials | undefined;
  #stopWatching: (() => void) | undefined;
  #loading: Promise<void> = Promise.resolve();
  #cancelRetry: (() => void) | undefined;

  constructor(options: FileCredentialsProviderOptions) {
    this.#options = options;
    const { secretId, secretKey, token } = options.sources;
    this.#sources = [secretId, secretKey, ...(token ? [token] : [])];
  }

  start(): Promise<void> {
    const files = this.#sources.flatMap((source) => ('file' in source ? [source.file] : []));
    this.#stopWatching = this.#options.watch(files, () => void this.#scheduleLoad());
    return this.#scheduleLoad();
  }

  getCredentials(): Credentials {
    if (!this.#credentials) throw new CredentialsUnavailableError(RETRY_AFTER_MS);
    return this.#credentials;
  }

  stop(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#cancelRetry?.();
  }

  /** One after the other, so that an older reading never replaces a newer one. */
  #scheduleLoad(): Promise<void> {
    this.#loading = this.#loading.then(() => this.#load());
    return this.#loading;
  }

  async #load(): Promise<void> {
    this.#cancelRetry?.();
    try {
      this.#apply(await this.#readUntilStable());
    } catch (error) {
      if (!this.#stopWatching) return;
      this.#options.observer?.failed(describeFailure(error));
      this.#cancelRetry = this.#options.clock.setTimer(RETRY_INTERVAL_MS, () => void this.#scheduleLoad());
    }
  }

  #apply(contents: readonly string[]): void {
    const changed = this.#sources.map(
      (source, index) => !('file' in source) || contents[index] !== this.#contents?.[index],
    );
    const anyChanged = contents.some((content, index) => content !== this.#contents?.[index]);
    if (!anyChanged) return;
    if (!changed.every(Boolean))
      throw new InvalidCredentialsError('only a part of the credentials has changed');
    const [secretId = '', secretKey = '', token] = contents;
    if (!isSecretId(secretId) || !isSecret(secretKey) || (token !== undefined && !isSecret(token)))
      throw new InvalidCredentialsError('the files do not hold credentials');
    this.#contents = contents;
    this.#credentials = new Credentials(secretId, secretKey, token);
    this.#options.observer?.loaded(Infinity);
  }

  async #readUntilStable(): Promise<readonly string[]> {
    let previous = await this.#read();
    for (let read = 1; read < MAX_READS; read += 1) {
      await new Promise<void>((resolve) => {
        this.#options.clock.setTimer(READ_INTERVAL_MS, resolve);
      });
      const current = await this.#read();
      if (current.every((content, index) => content === previous[index])) return current;
      previous = current;
    }
    throw new InvalidCredentialsError('the files do not stop changing');
  }

  #read(): Promise<string[]> {
    return Promise.all(
      this.#sources.map(async (source) =>
        'file' in source ? (await readFile(source.file, 'utf8')).trimEnd() : source.value(),
      ),
    );
  }
}

class InvalidCredentialsError extends Error {}

function describeFailure(error: unknown): string {
  if (error instanceof InvalidCredentialsError) return error.message;
  return `a file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`;
}
