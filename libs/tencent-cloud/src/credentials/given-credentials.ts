import type { Credentials } from './credentials.js';
import type { CredentialsObserver, CredentialsSource } from './source.js';

/** Credentials that are given once and stay: those of the environment. */
export class GivenCredentials implements CredentialsSource {
  constructor(
    private readonly credentials: Credentials,
    private readonly observer?: CredentialsObserver,
  ) {}

  start(): Promise<void> {
    this.observer?.loaded(Infinity);
    return Promise.resolve();
  }

  current(): Credentials {
    return this.credentials;
  }

  stop(): void {
    // There is nothing to end.
  }
}
