/** A call was refused before anything was sent, and no slot was taken. */
abstract class QuotaRejectionError extends Error {
  /** @param retryAfterMs milliseconds before which no slot can free for one more call */
  constructor(
    readonly retryAfterMs: number,
    message: string,
  ) {
    super(message);
  }
}

/** No slot within the wait, or too many calls wait already. */
export class QuotaExhaustedError extends QuotaRejectionError {
  readonly code = 'quota-exhausted';
  override readonly name = 'QuotaExhaustedError';

  constructor(retryAfterMs: number) {
    super(retryAfterMs, 'no quota slot within the wait');
  }
}

/** The caller has its fair share, and what is free is set aside for others. */
export class ShareExhaustedError extends QuotaRejectionError {
  readonly code = 'share-exhausted';
  override readonly name = 'ShareExhaustedError';

  constructor(retryAfterMs: number) {
    super(retryAfterMs, 'no quota slot within the wait: the caller uses its fair share');
  }
}

/** The store of the slots cannot be reached, and this process has no part of its own to lend. */
export class QuotaUnavailableError extends QuotaRejectionError {
  readonly code = 'quota-unavailable';
  override readonly name = 'QuotaUnavailableError';

  constructor(retryAfterMs: number) {
    super(retryAfterMs, 'the store of the quota is out of reach');
  }
}

/** The quota was closed while the call waited. */
export class QuotaClosedError extends Error {
  readonly code = 'quota-closed';
  override readonly name = 'QuotaClosedError';

  constructor() {
    super('the quota was closed');
  }
}
