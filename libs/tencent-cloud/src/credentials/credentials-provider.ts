import type { Credentials } from './credentials.js';

/** Where the keys come from. */
export interface CredentialsProvider {
  /** Fetches the first credentials and keeps them fresh from then on. Resolves after the first try, well or not. */
  start(): Promise<void>;

  /**
   * What to sign with at this moment.
   *
   * @throws CredentialsUnavailableError when there is nothing that the cloud would take
   */
  getCredentials(): Credentials;

  /** Ends whatever {@link start} began. */
  stop(): void;
}

/** Is told what becomes of credentials, for metrics and logs. */
export interface CredentialsObserver {
  /** @param expiresAtMs since 1970-01-01 UTC; Infinity when they do not */
  loaded(expiresAtMs: number): void;
  /** The credentials in use stay as they are. @param reason in fixed words */
  failed(reason: string): void;
}
