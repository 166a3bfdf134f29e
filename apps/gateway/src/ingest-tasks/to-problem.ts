import {
  QuotaClosedError,
  QuotaExhaustedError,
  QuotaUnavailableError,
  ShareExhaustedError,
} from '#libs/quota';
import {
  CircuitOpenError,
  CloudFailedError,
  CloudRejectedError,
  CloudTimeoutError,
  CloudUnreachableError,
  isCode,
  CredentialsUnavailableError,
} from '#libs/tencent-cloud';
import { shuttingDown } from '../lifecycle/lifecycle.js';
import { ProblemException } from '../problems/problem.exception.js';
import type { ProblemCode } from '../problems/problem-table.js';

/** The problem for each error code of the cloud; every other code is `upstream-rejected`. */
const REJECTIONS: readonly (readonly [parent: string, ProblemCode])[] = [
  ['InvalidParameter.TaskId', 'task-not-found'],
  ['FailedOperation.TaskNotExist', 'task-not-found'],
  ['AuthFailure', 'upstream-refused-gateway'],
  ['UnauthorizedOperation', 'upstream-refused-gateway'],
  ['RequestLimitExceeded', 'upstream-throttled'],
];

/** The cloud counts calls per second and sends no retry delay. */
const THROTTLED_RETRY_AFTER_MS = 1000;

/**
 * Converts an error of a stop into the problem that its caller receives.
 *
 * @param isSdkAppIdFromCaller whether the SdkAppId is from the request, so that the caller can fix its rejection
 * @returns `internal-error` for an unexpected error
 */
export function toProblem(error: unknown, isSdkAppIdFromCaller: boolean): ProblemException {
  if (error instanceof ProblemException) return error;
  if (error instanceof QuotaExhaustedError) return retryLater('quota-exhausted', error);
  if (error instanceof ShareExhaustedError) return retryLater('share-exhausted', error);
  if (error instanceof QuotaUnavailableError) return retryLater('quota-unavailable', error);
  if (error instanceof QuotaClosedError) return shuttingDown();
  if (error instanceof CircuitOpenError) return retryLater('upstream-unavailable', error);
  if (error instanceof CredentialsUnavailableError)
    return retryLater('upstream-unavailable', error, 'no credentials');
  if (error instanceof CloudRejectedError) return rejection(error, isSdkAppIdFromCaller);
  if (error instanceof CloudUnreachableError)
    return new ProblemException('upstream-unreachable', { reason: error.reason });
  if (error instanceof CloudTimeoutError) return new ProblemException('upstream-timeout');
  if (error instanceof CloudFailedError) {
    const { reason, upstreamError } = error;
    const upstream = upstreamError && { code: upstreamError.cloudCode, requestId: upstreamError.requestId };
    return new ProblemException('upstream-failed', { reason, upstream });
  }
  return new ProblemException('internal-error', { cause: error });
}

function retryLater(
  code: ProblemCode,
  { retryAfterMs }: { retryAfterMs: number },
  reason?: string,
): ProblemException {
  return new ProblemException(code, { retryAfterMs, reason });
}

function rejection(
  { cloudCode, requestId }: CloudRejectedError,
  isSdkAppIdFromCaller: boolean,
): ProblemException {
  const upstream = { code: cloudCode, requestId };
  if (isCode(cloudCode, 'InvalidParameter.SdkAppId'))
    return new ProblemException(isSdkAppIdFromCaller ? 'sdk-app-id-rejected' : 'upstream-refused-gateway', {
      upstream,
    });
  const code = REJECTIONS.find(([parent]) => isCode(cloudCode, parent))?.[1] ?? 'upstream-rejected';
  const retryAfterMs = code === 'upstream-throttled' ? THROTTLED_RETRY_AFTER_MS : undefined;
  return new ProblemException(code, { upstream, retryAfterMs });
}
