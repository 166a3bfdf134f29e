import type { Credentials } from './credentials.js';

/** A source of credentials that keeps them up to date. */
export interface CredentialsProvider {
  /** Loads the first credentials and keeps them up to date. Resolves after the first try, even if it fails. */
  start(): Promise<void>;

  /**
   * Returns the current credentials.
   *
   * @throws CredentialsUnavailableError if there are none, or if they have expired
   */
  getCredentials(): Credentials;

  /** Loads the credentials again, because the cloud rejected the current ones. Resolves after one try, even if it fails. */
  renew(): Promise<void>;

  /** Stops updates. */
  stop(): void;
}

/** Receives the results of loading credentials, for metrics and logs. */
export interface CredentialsObserver {
  /** @param expiresAtMs milliseconds since 1970-01-01 UTC; Infinity: never */
  loaded(expiresAtMs: number): void;
  /**
   * New credentials cannot be loaded. The current credentials stay in use.
   *
   * @param reason contains no path, address or secret
   */
  failed(reason: string): void;
}

/** There are no credentials, or they have expired. Nothing was sent. */
export class CredentialsUnavailableError extends Error {
  readonly code = 'no-credentials';
  override readonly name = 'CredentialsUnavailableError';

  /** @param retryAfterMs milliseconds until the provider tries again to load credentials */
  constructor(readonly retryAfterMs: number) {
    super('there are no valid credentials');
  }
}

/** The source of the credentials responded, but not with usable credentials. The message contains none of its content. */
export class InvalidCredentialsError extends Error {
  override readonly name = 'InvalidCredentialsError';
}
