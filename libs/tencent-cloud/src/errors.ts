/** The parts of an error response that are safe to log and to return. Its free text is discarded. */
export interface UpstreamErrorInfo {
  /** The documented part of `Response.Error.Code`, or its first segment. */
  readonly cloudCode: string;
  /** `Response.RequestId`, which identifies the request for Tencent Cloud's support. */
  readonly requestId: string;
}

/** The cloud rejected the call with a definite error code: the call had no effect. */
export class CloudRejectedError extends Error implements UpstreamErrorInfo {
  readonly code = 'rejected';
  override readonly name = 'CloudRejectedError';

  constructor(
    readonly cloudCode: string,
    readonly requestId: string,
    /** The Date header of the response. */
    readonly date?: string,
  ) {
    super(`the cloud rejected the call: ${cloudCode}`);
  }
}

/** The request was sent, or may have been, and no definite response arrived: the call may have taken effect. */
export class CloudFailedError extends Error {
  readonly code = 'failed';
  override readonly name: string = 'CloudFailedError';

  /**
   * @param reason a fixed text or an error code
   * @param upstreamError the error of the response, if it contained a valid one
   */
  constructor(
    readonly reason: string,
    readonly upstreamError?: UpstreamErrorInfo,
  ) {
    super(`the cloud failed: ${reason}`);
  }
}

/** The connection ended after the request was sent, and before its response was complete. */
export class CloudConnectionLostError extends CloudFailedError {
  override readonly name = 'CloudConnectionLostError';
}

/** The request was sent, and no response arrived in time: the call may have taken effect. */
export class CloudTimeoutError extends Error {
  readonly code = 'timeout';
  override readonly name = 'CloudTimeoutError';

  constructor() {
    super('the cloud did not respond in time');
  }
}

/** No connection was established: DNS, TCP or TLS failed or took too long. Nothing was sent. */
export class CloudUnreachableError extends Error {
  readonly code = 'unreachable';
  override readonly name = 'CloudUnreachableError';

  /** @param reason an error code such as `ECONNREFUSED`, or `timeout` */
  constructor(readonly reason: string) {
    super(`the cloud is unreachable: ${reason}`);
  }
}

/** The circuit is open after repeated failures. Nothing was sent. */
export class CircuitOpenError extends Error {
  readonly code = 'circuit-open';
  override readonly name = 'CircuitOpenError';

  /** @param retryAfterMs milliseconds until the next attempt may be sent */
  constructor(readonly retryAfterMs: number) {
    super('the circuit to the cloud is open');
  }
}

/** Returns the code and the RequestId of a failed attempt, for observers: see `Attempt`. */
export function describeFailure(error: unknown): { code: string; requestId: string | undefined } {
  if (error instanceof CloudRejectedError) return { code: error.cloudCode, requestId: error.requestId };
  if (error instanceof CloudFailedError) {
    const withoutCode = error instanceof CloudConnectionLostError ? 'other' : 'malformed';
    const { cloudCode = withoutCode, requestId } = error.upstreamError ?? {};
    return { code: cloudCode, requestId };
  }
  return { code: error instanceof CloudTimeoutError ? 'timeout' : 'unreachable', requestId: undefined };
}

/** Returns whether the cloud or the network failed. A definite response, even an error, is not a failure. */
export function isTransientFailure(
  error: unknown,
): error is CloudFailedError | CloudTimeoutError | CloudUnreachableError {
  return hasUnknownOutcome(error) || error instanceof CloudUnreachableError;
}

/** Returns whether the call may have taken effect. */
export function hasUnknownOutcome(error: unknown): error is CloudFailedError | CloudTimeoutError {
  return error instanceof CloudFailedError || error instanceof CloudTimeoutError;
}
