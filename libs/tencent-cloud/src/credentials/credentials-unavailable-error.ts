/** There are no credentials, or none that is still valid. Nothing was sent: an unsigned call never is. */
export class CredentialsUnavailableError extends Error {
  readonly code = 'no-credentials';
  override readonly name = 'CredentialsUnavailableError';

  /** @param retryAfterMs milliseconds until they will have been asked for again */
  constructor(readonly retryAfterMs: number) {
    super('there are no valid credentials');
  }
}
