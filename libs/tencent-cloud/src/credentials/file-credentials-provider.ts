import { isSecret, isSecretId } from '#libs/tc3';
import type { Clock } from '../clock.js';
import { Credentials } from './credentials.js';
import {
  type CredentialsObserver,
  type CredentialsProvider,
  CredentialsUnavailableError,
  InvalidCredentialsError,
} from './credentials-provider.js';

/** Files are not replaced at the same moment: contents are complete if they do not change for this time. */
const READ_INTERVAL_MS = 50;

/** After so many reads with different contents, loading fails until the next change or retry. */
const MAX_READS = 20;

/** Retry-After of a call while there are no credentials. */
const RETRY_AFTER_MS = 5000;

/** Invalid files are read and reported again after this time. */
const RETRY_INTERVAL_MS = 60_000;

/** One part of the credentials: a file, or a fixed value. The value is a function, so it is never logged by accident. */
export type CredentialSource = { readonly file: string } | { readonly value: () => string };

export interface CredentialSources {
  readonly secretId: CredentialSource;
  readonly secretKey: CredentialSource;
  /** The session token of temporary credentials. */
  readonly token?: CredentialSource;
}

export interface FileCredentialsProviderOptions {
  sources: CredentialSources;
  clock: Clock;
  /** Calls `onChange` after a file may have changed. The returned function stops that. */
  watch: (files: readonly string[], onChange: () => void) => () => void;
  /** Reads a file, in a limited time. */
  read: (file: string) => Promise<string>;
  observer?: CredentialsObserver;
}

/**
 * Loads credentials from files, such as Docker or Kubernetes secrets, and reloads them when the files change.
 *
 * New credentials are used only as a whole. All files must have stopped changing, and each file must differ from the
 * previous credentials, because Tencent Cloud never issues a new SecretKey for an existing SecretId.
 */
export class FileCredentialsProvider implements CredentialsProvider {
  readonly #options: FileCredentialsProviderOptions;
  readonly #sources: readonly CredentialSource[];
  #contents: readonly string[] | undefined;
  #credentials: Credentials | undefined;
  #stopWatching: (() => void) | undefined;
  #loading: Promise<void> = Promise.resolve();
  #cancelRetry: (() => void) | undefined;
  #hasFailed = false;

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

  renew(): Promise<void> {
    return this.#scheduleLoad();
  }

  stop(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#cancelRetry?.();
  }

  /** Loads run one after the other, so an older read never replaces a newer one. */
  #scheduleLoad(): Promise<void> {
    this.#loading = this.#loading.then(() => this.#load());
    return this.#loading;
  }

  async #load(): Promise<void> {
    this.#cancelRetry?.();
    try {
      const isNew = this.#apply(await this.#readUntilStable());
      // The return of the content in use ends a failure, too.
      if (isNew || this.#hasFailed) this.#options.observer?.loaded(Infinity);
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#stopWatching) return;
      this.#hasFailed = true;
      this.#options.observer?.failed(describeFailure(error));
      this.#cancelRetry = this.#options.clock.setTimer(RETRY_INTERVAL_MS, () => void this.#scheduleLoad());
    }
  }

  /** Returns whether the contents are new. */
  #apply(contents: readonly string[]): boolean {
    const files = this.#sources.flatMap((source, index) => ('file' in source ? [index] : []));
    const isChanged = (index: number): boolean => contents[index] !== this.#contents?.[index];
    if (this.#contents && !files.some(isChanged)) return false;
    if (!files.every(isChanged))
      throw new InvalidCredentialsError('only a part of the credentials has changed');
    const [secretId = '', secretKey = '', token] = contents;
    if (!isSecretId(secretId) || !isSecret(secretKey) || (token !== undefined && !isSecret(token)))
      throw new InvalidCredentialsError('the files do not hold credentials');
    this.#contents = contents;
    this.#credentials = new Credentials(secretId, secretKey, token);
    return true;
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
        'file' in source ? (await this.#options.read(source.file)).trimEnd() : source.value(),
      ),
    );
  }
}

function describeFailure(error: unknown): string {
  if (error instanceof InvalidCredentialsError) return error.message;
  return `a file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`;
}
