/** No slot within the wait. Nothing was sent and no slot was taken. */
export class QuotaExhausted extends Error {
  readonly code = 'quota-exhausted';
  override readonly name = 'QuotaExhausted';

  /** @param retryAfterMs milliseconds before which no slot can free for one more call */
  constructor(readonly retryAfterMs: number) {
    super('no quota slot within the wait');
  }
}
