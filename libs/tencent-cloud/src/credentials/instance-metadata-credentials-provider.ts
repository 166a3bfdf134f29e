import axios, { isAxiosError } from 'axios';
import { isSecret, isSecretId } from '#libs/tc3';
import type { Clock } from '../clock.js';
import { Credentials } from './credentials.js';
import {
  type CredentialsObserver,
  type CredentialsProvider,
  CredentialsUnavailableError,
  InvalidCredentialsError,
} from './credentials-provider.js';

/** Origin of the instance metadata service. */
export const METADATA_SERVICE_ORIGIN = new URL('http://metadata.tencentyun.com');
const PATH = '/latest/meta-data/cam/security-credentials/';

/** The service runs on the same host: a slow response is a failure. */
const REQUEST_TIMEOUT_MS = 2000;
const MAX_RESPONSE_BYTES = 64 * 1024;

/** The service issues new credentials before this time. */
const REFRESH_BEFORE_EXPIRY_MS = 5 * 60_000;

/** Prevents a tight loop when the service returns credentials that expire soon. */
const MIN_REFRESH_INTERVAL_MS = 10_000;

const INITIAL_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 60_000;

/** Timers do not run while a machine is suspended, so the wall clock is checked at least this often. */
const MAX_TIMER_MS = 60_000;

export interface InstanceMetadataCredentialsProviderOptions {
  /** The CAM role that is bound to the instance. */
  role: string;
  clock: Clock;
  observer?: CredentialsObserver;
  /** Origin of the metadata service: {@link METADATA_SERVICE_ORIGIN}, except in tests. */
  endpoint: URL;
}

interface CachedCredentials {
  readonly credentials: Credentials;
  readonly expiresAtMs: number;
}

/**
 * Loads the temporary credentials of the instance's CAM role from the metadata service. It renews them five minutes
 * before they expire, with exponential backoff after a failure. The current credentials stay in use until they expire.
 *
 * @see https://www.tencentcloud.com/document/product/213/4934
 */
export class InstanceMetadataCredentialsProvider implements CredentialsProvider {
  readonly #options: InstanceMetadataCredentialsProviderOptions;
  readonly #url: string;
  #cached: CachedCredentials | undefined;
  #failures = 0;
  #refreshAtMs = 0;
  #cancelTimer: (() => void) | undefined;
  #stopped = new AbortController();

  constructor(options: InstanceMetadataCredentialsProviderOptions) {
    this.#options = options;
    this.#url = new URL(PATH + encodeURIComponent(options.role), options.endpoint).href;
  }

  start(): Promise<void> {
    return this.#refresh();
  }

  getCredentials(): Credentials {
    const now = this.#options.clock.wallClockMs();
    if (!this.#cached || now >= this.#cached.expiresAtMs)
      throw new CredentialsUnavailableError(Math.max(0, this.#refreshAtMs - now));
    return this.#cached.credentials;
  }

  stop(): void {
    this.#stopped.abort();
    this.#cancelTimer?.();
  }

  async #refresh(): Promise<void> {
    const { clock, observer } = this.#options;
    try {
      const fetched = await this.#fetch();
      if (fetched.expiresAtMs <= clock.wallClockMs())
        throw new InvalidCredentialsError('the metadata service returned expired credentials');
      this.#cached = fetched;
      this.#failures = 0;
      this.#refreshAtMs = Math.max(
        fetched.expiresAtMs - REFRESH_BEFORE_EXPIRY_MS,
        clock.wallClockMs() + MIN_REFRESH_INTERVAL_MS,
      );
      observer?.loaded(fetched.expiresAtMs);
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      this.#refreshAtMs =
        clock.wallClockMs() + Math.min(MAX_BACKOFF_MS, INITIAL_BACKOFF_MS * 2 ** this.#failures);
      this.#failures += 1;
      observer?.failed(describeFailure(error));
    }
    this.#scheduleRefresh();
  }

  #scheduleRefresh(): void {
    if (this.#stopped.signal.aborted) return;
    const { clock } = this.#options;
    const remainingMs = Math.max(0, this.#refreshAtMs - clock.wallClockMs());
    this.#cancelTimer = clock.setTimer(Math.min(remainingMs, MAX_TIMER_MS), () => {
      if (clock.wallClockMs() < this.#refreshAtMs) this.#scheduleRefresh();
      else void this.#refresh();
    });
  }

  async #fetch(): Promise<CachedCredentials> {
    const timeout = new AbortController();
    const cancelTimer = this.#options.clock.setTimer(REQUEST_TIMEOUT_MS, () => timeout.abort());
    try {
      const { status, data } = await axios.get<unknown>(this.#url, {
        signal: AbortSignal.any([timeout.signal, this.#stopped.signal]),
        proxy: false,
        maxRedirects: 0,
        maxContentLength: MAX_RESPONSE_BYTES,
        validateStatus: () => true,
      });
      if (status !== 200) throw new InvalidCredentialsError(`the metadata service returned HTTP ${status}`);
      return parseCredentials(data);
    } catch (error) {
      if (timeout.signal.aborted)
        throw new InvalidCredentialsError('the metadata service did not respond in time');
      throw error;
    } finally {
      cancelTimer();
    }
  }
}

/** Uses only the code of an axios error: the rest may contain the response, and so credentials. */
function describeFailure(error: unknown): string {
  if (error instanceof InvalidCredentialsError) return error.message;
  return `the metadata service cannot be reached (${(isAxiosError(error) && error.code) || 'unknown'})`;
}

function parseCredentials(response: unknown): CachedCredentials {
  const { Code, TmpSecretId, TmpSecretKey, Token, ExpiredTime } = (response ?? {}) as Record<string, unknown>;
  if (Code !== 'Success')
    throw new InvalidCredentialsError('the metadata service did not return the code Success');
  if (
    !isSecretId(TmpSecretId) ||
    !isSecret(TmpSecretKey) ||
    !isSecret(Token) ||
    !Number.isFinite(ExpiredTime)
  )
    throw new InvalidCredentialsError('the metadata service did not return credentials');
  const credentials = new Credentials(TmpSecretId, TmpSecretKey, Token);
  return { credentials, expiresAtMs: (ExpiredTime as number) * 1000 };
}
