import type { Credentials } from './credentials.js';
import type { CredentialsObserver, CredentialsProvider } from './credentials-provider.js';

/** Credentials that are given once and stay: those of the environment. */
export class StaticCredentialsProvider implements CredentialsProvider {
  constructor(
    private readonly credentials: Credentials,
    private readonly observer?: CredentialsObserver,
  ) {}

  start(): Promise<void> {
    this.observer?.loaded(Infinity);
    return Promise.resolve();
  }

  getCredentials(): Credentials {
    return this.credentials;
  }

  stop(): void {
    // There is nothing to end.
  }
}
