import { QuotaClosed, QuotaExhausted, QuotaUnavailable, ShareExhausted } from '#libs/quota';
import {
  CircuitOpen,
  CloudFailed,
  CloudRefused,
  CloudTimeout,
  CloudUnreachable,
  isCode,
  NoCredentials,
} from '#libs/tencent-cloud';
import { Problem } from './problem.js';
import type { ProblemCode } from './problem-table.js';

/** Which problem a definite refusal is; any other is `upstream-rejected`. */
const REFUSALS: readonly (readonly [parent: string, ProblemCode])[] = [
  ['InvalidParameter.TaskId', 'task-not-found'],
  ['FailedOperation.TaskNotExist', 'task-not-found'],
  ['AuthFailure', 'upstream-refused-gateway'],
  ['UnauthorizedOperation', 'upstream-refused-gateway'],
  ['RequestLimitExceeded', 'upstream-throttled'],
];

/** How long a caller of a throttled cloud is asked to stay away: the cloud names no time, and counts by the second. */
const THROTTLED_MS = 1000;

/** Another replica can serve a call that this one refuses as it leaves. */
const RETRY_ELSEWHERE_MS = 1000;

/**
 * The problem that an error of the libs is to the caller of a stop.
 *
 * @param sdkAppIdGiven whether the caller chose the SdkAppId: then its rejection is the caller's to mend
 * @returns the error itself when it is none of the libs'
 */
export function stopProblem(error: unknown, sdkAppIdGiven: boolean): unknown {
  if (error instanceof QuotaExhausted)
    return new Problem('quota-exhausted', { retryAfterMs: error.retryAfterMs });
  if (error instanceof ShareExhausted)
    return new Problem('share-exhausted', { retryAfterMs: error.retryAfterMs });
  if (error instanceof QuotaUnavailable)
    return new Problem('upstream-unavailable', { retryAfterMs: error.retryAfterMs, reason: error.code });
  if (error instanceof QuotaClosed) return new Problem('shutting-down', { retryAfterMs: RETRY_ELSEWHERE_MS });
  if (error instanceof CircuitOpen)
    return new Problem('upstream-unavailable', { retryAfterMs: error.retryAfterMs });
  if (error instanceof NoCredentials)
    return new Problem('upstream-unavailable', {
      retryAfterMs: error.retryAfterMs,
      reason: 'no credentials',
    });
  if (error instanceof CloudRefused) return refusal(error, sdkAppIdGiven);
  if (error instanceof CloudUnreachable) return new Problem('upstream-unreachable', { reason: error.reason });
  if (error instanceof CloudTimeout) return new Problem('upstream-timeout');
  if (error instanceof CloudFailed) {
    const { reason, word } = error;
    const upstream = word && { code: word.cloudCode, requestId: word.requestId };
    return new Problem('upstream-failed', { reason, ...(upstream && { upstream }) });
  }
  return error;
}

function refusal({ cloudCode, requestId }: CloudRefused, sdkAppIdGiven: boolean): Problem {
  const upstream = { code: cloudCode, requestId };
  if (isCode(cloudCode, 'InvalidParameter.SdkAppId'))
    return new Problem(sdkAppIdGiven ? 'sdk-app-id-rejected' : 'upstream-refused-gateway', { upstream });
  const [, code] = REFUSALS.find(([parent]) => isCode(cloudCode, parent)) ?? [
    '',
    'upstream-rejected' as const,
  ];
  return new Problem(code, {
    upstream,
    ...(code === 'upstream-throttled' && { retryAfterMs: THROTTLED_MS }),
  });
}
