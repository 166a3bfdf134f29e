/** The quota rejected a call: no slot was acquired, so nothing may be sent. */
abstract class QuotaRejectionError extends Error {
  /** @param retryAfterMs milliseconds before which no slot can be free for one more call */
  constructor(
    readonly retryAfterMs: number,
    message: string,
  ) {
    super(message);
  }
}

/** No slot can be free within the wait, or the queue is full. */
export class QuotaExhaustedError extends QuotaRejectionError {
  readonly code = 'quota-exhausted';
  override readonly name = 'QuotaExhaustedError';

  constructor(retryAfterMs: number) {
    super(retryAfterMs, 'no quota slot within the wait');
  }
}

/** The caller uses its fair share, and the remaining slots are leased or reserved for other callers. */
export class ShareExhaustedError extends QuotaRejectionError {
  readonly code = 'share-exhausted';
  override readonly name = 'ShareExhaustedError';

  constructor(retryAfterMs: number) {
    super(retryAfterMs, 'no quota slot within the wait: the caller uses its fair share');
  }
}

/** The slot store is unavailable, and this replica has no fallback slots. */
export class QuotaUnavailableError extends QuotaRejectionError {
  readonly code = 'quota-unavailable';
  override readonly name = 'QuotaUnavailableError';

  constructor(retryAfterMs: number) {
    super(retryAfterMs, 'the slot store is unavailable');
  }
}

/** The quota is closed, or was closed while the call waited. */
export class QuotaClosedError extends Error {
  readonly code = 'quota-closed';
  override readonly name = 'QuotaClosedError';

  constructor() {
    super('the quota is closed');
  }
}
