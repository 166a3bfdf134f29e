/** There are no credentials, or they have expired. Nothing was sent. */
export class CredentialsUnavailableError extends Error {
  readonly code = 'no-credentials';
  override readonly name = 'CredentialsUnavailableError';

  /** @param retryAfterMs milliseconds until the provider tries again to load credentials */
  constructor(readonly retryAfterMs: number) {
    super('there are no valid credentials');
  }
}
