import type { Clock } from '../clock.js';
import { parseHttpDate } from '../http-date.js';
import type { Credentials } from './credentials.js';
import {
  type CredentialsObserver,
  type CredentialsProvider,
  CredentialsUnavailableError,
  InvalidCredentialsError,
} from './credentials-provider.js';

/** The issuer returns new credentials before this time. */
const REFRESH_BEFORE_EXPIRY_MS = 5 * 60_000;

/** Prevents a tight loop when the issuer returns credentials that expire soon. */
const MIN_REFRESH_INTERVAL_MS = 10_000;

/** Credentials are renewed after this time even if they are valid for longer, because an expiry may be wrong. */
const MAX_LIFETIME_MS = 24 * 3_600_000;

const INITIAL_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 60_000;

/** Temporary credentials as an issuer returned them. */
export interface IssuedCredentials {
  readonly credentials: Credentials;
  /** Milliseconds since 1970-01-01 UTC, by the clock of the issuer. */
  readonly expiresAtMs: number;
  /** The Date header of the response. */
  readonly date?: string | undefined;
}

export interface TemporaryCredentialsProviderOptions {
  /** Names the issuer in messages, such as `the metadata service`. */
  issuer: string;
  /**
   * Requests credentials.
   *
   * @param signal aborts the request
   * @throws InvalidCredentialsError
   */
  fetch(signal: AbortSignal): Promise<IssuedCredentials>;
  /** Timeout of a request, in milliseconds. */
  timeoutMs: number;
  clock: Clock;
  observer?: CredentialsObserver;
}

/**
 * Loads temporary credentials from an issuer. It renews them five minutes before they expire, with exponential backoff
 * after a failure. The current credentials stay in use until they expire.
 *
 * The clock of this machine may be wrong. So the lifetime is the time from the `Date` of the response to the expiry, and
 * is measured with the monotonic clock.
 */
export class TemporaryCredentialsProvider implements CredentialsProvider {
  readonly #options: TemporaryCredentialsProviderOptions;
  #credentials: Credentials | undefined;
  /** In milliseconds of the monotonic clock, as is the time of the next refresh. */
  #expiresAt = 0;
  #refreshAt = 0;
  #failures = 0;
  #refreshing: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  readonly #stopped = new AbortController();

  constructor(options: TemporaryCredentialsProviderOptions) {
    this.#options = options;
  }

  start(): Promise<void> {
    return this.renew();
  }

  getCredentials(): Credentials {
    const now = this.#options.clock.now();
    if (!this.#credentials || now >= this.#expiresAt)
      throw new CredentialsUnavailableError(Math.max(0, this.#refreshAt - now));
    return this.#credentials;
  }

  async renew(): Promise<void> {
    this.#refreshing ??= this.#refresh();
    await this.#refreshing;
  }

  stop(): void {
    this.#stopped.abort();
    this.#cancelTimer?.();
  }

  async #refresh(): Promise<void> {
    const { clock, observer } = this.#options;
    this.#cancelTimer?.();
    try {
      const { credentials, expiresAtMs, lifetimeMs } = await this.#fetch();
      this.#credentials = credentials;
      this.#failures = 0;
      this.#expiresAt = clock.now() + lifetimeMs;
      this.#scheduleRefresh(Math.max(lifetimeMs - REFRESH_BEFORE_EXPIRY_MS, MIN_REFRESH_INTERVAL_MS));
      observer?.loaded(expiresAtMs);
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      this.#scheduleRefresh(Math.min(MAX_BACKOFF_MS, INITIAL_BACKOFF_MS * 2 ** this.#failures));
      this.#failures += 1;
      observer?.failed(this.#describeFailure(error));
    } finally {
      this.#refreshing = undefined;
    }
  }

  #scheduleRefresh(ms: number): void {
    const { clock } = this.#options;
    this.#refreshAt = clock.now() + ms;
    if (!this.#stopped.signal.aborted) this.#cancelTimer = clock.setTimer(ms, () => void this.renew());
  }

  async #fetch(): Promise<IssuedCredentials & { lifetimeMs: number }> {
    const { issuer, timeoutMs, clock } = this.#options;
    const timeout = new AbortController();
    const cancelTimer = clock.setTimer(timeoutMs, () => timeout.abort());
    try {
      const issued = await this.#options.fetch(AbortSignal.any([timeout.signal, this.#stopped.signal]));
      const issuedAtMs = parseHttpDate(issued.date, clock.wallClockMs()) ?? clock.wallClockMs();
      const lifetimeMs = Math.min(issued.expiresAtMs - issuedAtMs, MAX_LIFETIME_MS);
      if (lifetimeMs <= 0) throw new InvalidCredentialsError(`${issuer} returned expired credentials`);
      return { ...issued, lifetimeMs };
    } catch (error) {
      if (timeout.signal.aborted) throw new InvalidCredentialsError(`${issuer} did not respond in time`);
      throw error;
    } finally {
      cancelTimer();
    }
  }

  /** Uses only the code of other errors: the rest may contain the response, and so credentials. */
  #describeFailure(error: unknown): string {
    if (error instanceof InvalidCredentialsError) return error.message;
    return `${this.#options.issuer} cannot be reached (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`;
  }
}
