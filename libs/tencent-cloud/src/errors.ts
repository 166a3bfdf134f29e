/** What the cloud said of itself in an answer: safe to pass on, unlike its free text, which is never kept. */
export interface UpstreamErrorInfo {
  /** `Response.Error.Code`. */
  readonly cloudCode: string;
  /** `Response.RequestId`, needed for locating a problem at Tencent. */
  readonly requestId: string;
}

/** The cloud answered with a definite refusal: the call had no effect. */
export class CloudRejectedError extends Error implements UpstreamErrorInfo {
  readonly code = 'rejected';
  override readonly name = 'CloudRejectedError';

  constructor(
    readonly cloudCode: string,
    readonly requestId: string,
    /** The Date header of the answer. */
    readonly date?: string,
  ) {
    super(`the cloud refused: ${cloudCode}`);
  }
}

/** The call reached the cloud, or may have, and no definite answer came back: it may have taken effect. */
export class CloudFailedError extends Error {
  readonly code = 'failed';
  override readonly name = 'CloudFailedError';

  /**
   * @param reason what went wrong, in fixed words
   * @param upstreamError what the cloud said, when it said anything that can be understood
   */
  constructor(
    readonly reason: string,
    readonly upstreamError?: UpstreamErrorInfo,
  ) {
    super(`the cloud failed: ${reason}`);
  }
}

/** No answer in time after the request was sent: it may have taken effect. */
export class CloudTimeoutError extends Error {
  readonly code = 'timeout';
  override readonly name = 'CloudTimeoutError';

  constructor() {
    super('the cloud did not answer in time');
  }
}

/** No connection: name not resolved, connection refused, TLS failed, or none of it done in time. Nothing was sent. */
export class CloudUnreachableError extends Error {
  readonly code = 'unreachable';
  override readonly name = 'CloudUnreachableError';

  /** @param reason the system's error code, such as `ECONNREFUSED` */
  constructor(readonly reason: string) {
    super(`the cloud is unreachable: ${reason}`);
  }
}

/** The cloud failed so often that it is left alone for a while. Nothing was sent. */
export class CircuitOpenError extends Error {
  readonly code = 'circuit-open';
  override readonly name = 'CircuitOpenError';

  /** @param retryAfterMs milliseconds until the next call is let through to try it */
  constructor(readonly retryAfterMs: number) {
    super('the circuit to the cloud is open');
  }
}

/** The cloud, or the way to it, failed: as opposed to a definite answer, which is one, welcome or not. */
export function isTransientFailure(error: unknown): boolean {
  return hasUnknownOutcome(error) || error instanceof CloudUnreachableError;
}

/** After this error the call may have taken effect. */
export function hasUnknownOutcome(error: unknown): error is CloudFailedError | CloudTimeoutError {
  return error instanceof CloudFailedError || error instanceof CloudTimeoutError;
}
