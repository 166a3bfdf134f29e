import type { Credentials } from './credentials.js';
import type { CredentialsObserver, CredentialsProvider } from './credentials-provider.js';

/** Provides credentials that never change, such as those of environment variables. */
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

  renew(): Promise<void> {
    return Promise.resolve();
  }

  stop(): void {}
}
