import { describe, expect, it } from '@jest/globals';
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
  CredentialsUnavailableError,
} from '#libs/tencent-cloud';
import { ProblemException } from '../problems/problem.exception.js';
import { toProblem } from './to-problem.js';

describe('toProblem', () => {
  it.each([
    [new QuotaExhaustedError(900), 'quota-exhausted', { retryAfterMs: 900 }],
    [new ShareExhaustedError(900), 'share-exhausted', { retryAfterMs: 900 }],
    [new QuotaUnavailableError(900), 'quota-unavailable', { retryAfterMs: 900 }],
    [new QuotaClosedError(), 'shutting-down', { retryAfterMs: 1000 }],
    [new CircuitOpenError(4000), 'upstream-unavailable', { retryAfterMs: 4000 }],
    [
      new CredentialsUnavailableError(5000),
      'upstream-unavailable',
      { retryAfterMs: 5000, reason: 'no credentials' },
    ],
    [new CloudUnreachableError('ECONNREFUSED'), 'upstream-unreachable', { reason: 'ECONNREFUSED' }],
    [new CloudTimeoutError(), 'upstream-timeout', {}],
    [new CloudFailedError('HTTP 502'), 'upstream-failed', { reason: 'HTTP 502' }],
    [
      new CloudFailedError('InternalError', { cloudCode: 'InternalError', requestId: 'r' }),
      'upstream-failed',
      { reason: 'InternalError', upstream: { code: 'InternalError', requestId: 'r' } },
    ],
  ])('converts %s to %s', (error, code, details) => {
    const problem = toProblem(error, false);
    expect(problem.code).toBe(code);
    expect(problem.details).toEqual(details);
  });

  it.each([
    ['InvalidParameter.TaskId', 'task-not-found'],
    ['FailedOperation.TaskNotExist', 'task-not-found'],
    ['AuthFailure.SecretIdNotFound', 'upstream-refused-gateway'],
    ['UnauthorizedOperation', 'upstream-refused-gateway'],
    ['InvalidParameter.BodyParamsError', 'upstream-rejected'],
    ['AuthFailureOfAnotherKind', 'upstream-rejected'],
    ['', 'upstream-rejected'],
  ])('converts the cloud error %s to %s', (cloudCode, code) => {
    const problem = toProblem(new CloudRejectedError(cloudCode, 'r'), false);
    expect(problem.code).toBe(code);
    expect(problem.details).toEqual({ upstream: { code: cloudCode, requestId: 'r' } });
  });

  it('adds Retry-After of one second when the cloud throttles', () => {
    const problem = toProblem(new CloudRejectedError('RequestLimitExceeded.UinLimitExceeded', 'r'), false);
    expect(problem.code).toBe('upstream-throttled');
    expect(problem.details.retryAfterMs).toBe(1000);
  });

  it.each([
    [true, 'sdk-app-id-rejected'],
    [false, 'upstream-refused-gateway'],
  ])('converts a rejected SdkAppId, from the request: %s, to %s', (isSdkAppIdFromCaller, code) => {
    const error = new CloudRejectedError('InvalidParameter.SdkAppId', 'r');
    expect(toProblem(error, isSdkAppIdFromCaller).code).toBe(code);
  });

  it('returns a problem unchanged', () => {
    const problem = new ProblemException('sdk-app-id-not-allowed');
    expect(toProblem(problem, false)).toBe(problem);
  });

  it('converts an unexpected error to internal-error with its cause', () => {
    const cause = new TypeError('a bug');
    expect(toProblem(cause, false)).toMatchObject({ code: 'internal-error', details: { cause } });
  });
});
