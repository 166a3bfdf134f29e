import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Counter, Gauge, Registry } from 'prom-client';
import { InvalidCallersFileError, parseCallers } from '../config/callers-file.js';
import type { AuthConfig } from '../config/configuration.js';
import { authConfig } from '../config/namespaces.js';
import { describeFileError } from '../files/describe-file-error.js';
import { readRegularFile } from '../files/read-regular-file.js';
import { watchFiles } from '../files/watch-files.js';
import { ANONYMOUS, type CallerIdentity, UNKNOWN_CALLER } from '../http/caller-identity.js';
import { ApiKeyStore } from './api-key-store.js';

/** An invalid file is read again at this interval. Each failure is counted and logged. */
const RETRY_INTERVAL_MS = 60_000;

/** The callers of CALLERS_FILE, which is reloaded when it changes. Without CALLERS_FILE, every caller is `anonymous`. */
@Injectable()
export class CallerRegistry implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #config: AuthConfig;
  readonly #reloadFailures: Counter;
  readonly #lastReload: Gauge;
  readonly #isLastReloadSuccessful: Gauge;
  readonly #listeners: ((names: readonly string[]) => void)[] = [];
  /** Undefined after a failure, so that the return of the previous content is a reload too. */
  #lastContent: string | undefined;
  #keys: ApiKeyStore | undefined;
  #stopWatching: (() => void) | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #reload: Promise<void> = Promise.resolve();

  constructor(
    @Inject(authConfig.KEY) config: AuthConfig,
    registry: Registry,
    private readonly logger: PinoLogger,
  ) {
    this.#config = config;
    this.#reloadFailures = new Counter({
      name: 'ingest_gateway_callers_reload_failures_total',
      help: 'Failed reloads of CALLERS_FILE; counted again each minute while it stays invalid.',
      registers: [registry],
    });
    this.#lastReload = new Gauge({
      name: 'ingest_gateway_callers_last_reload_success_timestamp_seconds',
      help: 'When the callers in use were loaded; 0 without CALLERS_FILE.',
      registers: [registry],
    });
    this.#isLastReloadSuccessful = new Gauge({
      name: 'ingest_gateway_callers_last_reload_successful',
      help: '1 if the last reload of CALLERS_FILE succeeded, otherwise 0; 1 without CALLERS_FILE.',
      registers: [registry],
    });
    this.#isLastReloadSuccessful.set(1);
    const { callersFile } = config;
    if (!callersFile) return;
    this.#lastContent = callersFile.content;
    this.#keys = new ApiKeyStore(callersFile.callers);
    this.#lastReload.setToCurrentTime();
  }

  onApplicationBootstrap(): void {
    const { callersFile } = this.#config;
    if (!callersFile) return;
    const { path, fingerprint } = callersFile;
    this.#stopWatching = watchFiles([path], () => this.#scheduleReload(path), fingerprint);
  }

  onModuleDestroy(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    clearTimeout(this.#retryTimer);
  }

  /** The number of callers; undefined when no keys are required. */
  get size(): number | undefined {
    return this.#keys?.names.length;
  }

  /** Calls the listener now and after each reload, with the caller names that metrics and logs can contain. */
  onReload(listener: (names: readonly string[]) => void): void {
    this.#listeners.push(listener);
    listener(this.#names());
  }

  /** Returns the caller with this key. When no keys are required, it is always `anonymous`. */
  find(key: string | undefined): CallerIdentity | undefined {
    if (!this.#keys) return ANONYMOUS;
    return key === undefined ? undefined : this.#keys.find(key);
  }

  #names(): readonly string[] {
    return this.#keys ? [...this.#keys.names, UNKNOWN_CALLER] : [ANONYMOUS.name];
  }

  /** Reloads run one after the other, so that an older version never replaces a newer one. */
  #scheduleReload(path: string): void {
    this.#reload = this.#reload.then(() => this.#reloadNow(path));
  }

  async #reloadNow(path: string): Promise<void> {
    clearTimeout(this.#retryTimer);
    try {
      const content = await readRegularFile(path);
      if (content === this.#lastContent) return;
      this.#keys = new ApiKeyStore(parseCallers(content));
      this.#lastContent = content;
      for (const listener of this.#listeners) listener(this.#names());
      this.#lastReload.setToCurrentTime();
      this.#isLastReloadSuccessful.set(1);
      this.logger.info({ event: 'callers-reloaded', callers: this.size }, 'CALLERS_FILE was reloaded');
    } catch (error) {
      this.#lastContent = undefined;
      this.#reloadFailures.inc();
      this.#isLastReloadSuccessful.set(0);
      this.logger.error(
        { event: 'callers-reload-failed', errors: errorsOf(error) },
        'CALLERS_FILE has changed and cannot be used: the previous callers stay valid',
      );
      if (this.#stopWatching)
        this.#retryTimer = setTimeout(() => this.#scheduleReload(path), RETRY_INTERVAL_MS).unref();
    }
  }
}

function errorsOf(error: unknown): readonly string[] {
  if (error instanceof InvalidCallersFileError) return error.errors;
  return [describeFileError(error)];
}
