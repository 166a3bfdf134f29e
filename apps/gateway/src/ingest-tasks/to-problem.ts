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
import { ProblemException } from '../problems/problem.exception.js';
import type { ProblemCode } from '../problems/problem-table.js';

/** The problem for each rejection of the cloud; every other code is `upstream-rejected`. */
const REJECTIONS: readonly (readonly [parent: string, ProblemCode])[] = [
  ['InvalidParameter.TaskId', 'task-not-found'],
  ['FailedOperation.TaskNotExist', 'task-not-found'],
  ['AuthFailure', 'upstream-refused-gateway'],
  ['UnauthorizedOperation', 'upstream-refused-gateway'],
  ['RequestLimitExceeded', 'upstream-throttled'],
];

/** The cloud names no time, and counts by the second. */
const THROTTLED_RETRY_AFTER_MS = 1000;

/** Another replica can serve at once a stop that this one rejects. */
const RETRY_ON_ANOTHER_REPLICA_MS = 1000;

/**
 * The problem that an error is for the caller of a stop.
 *
 * @param isSdkAppIdGiven whether the caller chose the SdkAppId: then the caller can fix its rejection
 * @returns `internal-error` for an unexpected one
 */
export function toProblem(error: unknown, isSdkAppIdGiven: boolean): ProblemException {
  if (error instanceof ProblemException) return error;
  if (error instanceof QuotaExhaustedError)
    return new ProblemException('quota-exhausted', { retryAfterMs: error.retryAfterMs });
  if (error instanceof ShareExhaustedError)
    return new ProblemException('share-exhausted', { retryAfterMs: error.retryAfterMs });
  if (error instanceof QuotaUnavailableError)
    return new ProblemException('upstream-unavailable', {
      retryAfterMs: error.retryAfterMs,
      reason: error.code,
    });
  if (error instanceof QuotaClosedError)
    return new ProblemException('shutting-down', { retryAfterMs: RETRY_ON_ANOTHER_REPLICA_MS });
  if (error instanceof CircuitOpenError)
    return new ProblemException('upstream-unavailable', { retryAfterMs: error.retryAfterMs });
  if (error instanceof CredentialsUnavailableError)
    return new ProblemException('upstream-unavailable', {
      retryAfterMs: error.retryAfterMs,
      reason: 'no credentials',
    });
  if (error instanceof CloudRejectedError) return rejection(error, isSdkAppIdGiven);
  if (error instanceof CloudUnreachableError)
    return new ProblemException('upstream-unreachable', { reason: error.reason });
  if (error instanceof CloudTimeoutError) return new ProblemException('upstream-timeout');
  if (error instanceof CloudFailedError) {
    const { reason, upstreamError } = error;
    const upstream = upstreamError && { code: upstreamError.cloudCode, requestId: upstreamError.requestId };
    return new ProblemException('upstream-failed', { reason, ...(upstream && { upstream }) });
  }
  return new ProblemException('internal-error', { cause: error });
}

function rejection({ cloudCode, requestId }: CloudRejectedError, isSdkAppIdGiven: boolean): ProblemException {
  const upstream = { code: cloudCode, requestId };
  if (isCode(cloudCode, 'InvalidParameter.SdkAppId'))
    return new ProblemException(isSdkAppIdGiven ? 'sdk-app-id-rejected' : 'upstream-refused-gateway', {
      upstream,
    });
  const [, code] = REJECTIONS.find(([parent]) => isCode(cloudCode, parent)) ?? [
    '',
    'upstream-rejected' as const,
  ];
  return new ProblemException(code, {
    upstream,
    ...(code === 'upstream-throttled' && { retryAfterMs: THROTTLED_RETRY_AFTER_MS }),
  });
}
