import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CallState } from './call-state.js';
import {
  CloudFailedError,
  CloudRejectedError,
  CloudTimeoutError,
  CloudUnreachableError,
  hasUnknownOutcome,
} from './errors.js';

const clock = { now: () => 0, wallClockMs: () => 0, setTimer: () => () => {} };
const createCallState = (maxAttempts = 3): CallState =>
  new CallState({ maxAttempts: () => maxAttempts, deadlineMs: 8000, clock, random: () => 0.5 });

const cloudError = fc.oneof(
  fc.constantFrom(new CloudFailedError('x'), new CloudTimeoutError(), new CloudUnreachableError('x')),
  fc
    .constantFrom(
      'RequestLimitExceeded',
      'AuthFailure.SignatureFailure',
      'ActionOffline',
      'UnsupportedRegion',
    )
    .map((code) => new CloudRejectedError(code, 'r')),
);

describe('the error of a call', () => {
  it('has an unknown outcome if any attempt may have taken effect', () => {
    fc.assert(
      fc.property(fc.array(cloudError, { minLength: 1, maxLength: 5 }), (errors) => {
        const callState = createCallState();
        for (const error of errors) {
          callState.startAttempt();
          callState.recordFailure(error);
        }
        expect(hasUnknownOutcome(callState.resolveError(errors.at(-1)))).toBe(
          errors.some((error) => hasUnknownOutcome(error)),
        );
      }),
    );
  });

  it('is the error of the permit if there was no attempt', () => {
    const rejection = new Error('no slot');
    expect(createCallState().resolveError(rejection)).toBe(rejection);
  });
});

describe('a retry', () => {
  it.each([
    ['unreachable', new CloudUnreachableError('x')],
    ['timeout', new CloudTimeoutError()],
    ['failed', new CloudFailedError('x')],
    ['throttled', new CloudRejectedError('RequestLimitExceeded.UinLimitExceeded', 'r')],
    [undefined, new CloudRejectedError('RequestLimitExceededButNot', 'r')],
    [undefined, new CloudRejectedError('AuthFailure.SignatureExpire', 'r')],
    [undefined, new CloudRejectedError('FailedOperation', 'r')],
    [undefined, new TypeError('a bug')],
  ])('has the reason %s', (reason, error) => {
    const callState = createCallState();
    callState.startAttempt();
    expect(callState.recordFailure(error)).toBe(reason);
  });

  it('is not made after the last attempt or close to the deadline', () => {
    const callState = createCallState(1);
    callState.startAttempt();
    expect(callState.recordFailure(new CloudTimeoutError())).toBeUndefined();
    const late = new CallState({ maxAttempts: () => 3, deadlineMs: 100, clock, random: () => 0.5 });
    late.startAttempt();
    expect(late.recordFailure(new CloudTimeoutError())).toBeUndefined();
  });

  it('is delayed by a random part of a time that doubles, but not beyond the deadline', () => {
    const callState = createCallState(10);
    const waits = Array.from({ length: 6 }, () => {
      callState.startAttempt();
      return callState.backoffMs();
    });
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
    const late = new CallState({ maxAttempts: () => 3, deadlineMs: 150, clock, random: () => 0.99 });
    late.startAttempt();
    expect(late.backoffMs()).toBe(50);
  });
});
