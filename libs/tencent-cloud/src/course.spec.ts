import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Course } from './course.js';
import { CloudFailed, CloudRefused, CloudTimeout, CloudUnreachable, isUnknown } from './errors.js';

const clock = { now: () => 0, epochMs: () => 0, wakeIn: () => () => {} };
const course = (maxAttempts = 3): Course =>
  new Course({ maxAttempts, deadlineMs: 8000, clock, random: () => 0.5 });

const anError = fc.oneof(
  fc.constantFrom(new CloudFailed('x'), new CloudTimeout(), new CloudUnreachable('x')),
  fc
    .constantFrom(
      'RequestLimitExceeded',
      'AuthFailure.SignatureFailure',
      'ActionOffline',
      'UnsupportedRegion',
    )
    .map((code) => new CloudRefused(code, 'r')),
);

describe('the verdict on a call', () => {
  it('is never that nothing happened when an attempt may have taken effect', () => {
    fc.assert(
      fc.property(fc.array(anError, { minLength: 1, maxLength: 5 }), (errors) => {
        const call = course();
        for (const error of errors) {
          call.beginAttempt();
          call.failed(error);
        }
        expect(isUnknown(call.verdict(errors.at(-1)))).toBe(errors.some((error) => isUnknown(error)));
      }),
    );
  });

  it('is the last failure when a repetition was not admitted', () => {
    const call = course();
    const failure = new CloudUnreachable('ECONNREFUSED');
    call.beginAttempt();
    call.failed(failure);
    expect(call.verdict(new Error('no slot'))).toBe(failure);
  });

  it('is the refusal to admit it when nothing was tried', () => {
    const refusal = new Error('no slot');
    expect(course().verdict(refusal)).toBe(refusal);
  });
});

describe('a repetition', () => {
  it.each([
    ['unreachable', new CloudUnreachable('x')],
    ['timeout', new CloudTimeout()],
    ['failed', new CloudFailed('x')],
    ['throttled', new CloudRefused('RequestLimitExceeded.UinLimitExceeded', 'r')],
    [undefined, new CloudRefused('RequestLimitExceededButNot', 'r')],
    [undefined, new CloudRefused('AuthFailure.SignatureExpire', 'r')],
    [undefined, new CloudRefused('FailedOperation', 'r')],
    [undefined, new TypeError('a fault of our own')],
  ])('is worth it because of: %s', (reason, error) => {
    const call = course();
    call.beginAttempt();
    expect(call.failed(error)).toBe(reason);
  });

  it('is not worth it after the last attempt, nor when the deadline is near', () => {
    const call = course(1);
    call.beginAttempt();
    expect(call.failed(new CloudTimeout())).toBeUndefined();
    const late = new Course({ maxAttempts: 3, deadlineMs: 100, clock, random: () => 0.5 });
    late.beginAttempt();
    expect(late.failed(new CloudTimeout())).toBeUndefined();
  });

  it('waits a random part of a time that doubles, and never past the deadline', () => {
    const call = course(10);
    const waits = Array.from({ length: 6 }, () => {
      call.beginAttempt();
      return call.backoffMs();
    });
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
    const late = new Course({ maxAttempts: 3, deadlineMs: 150, clock, random: () => 0.99 });
    late.beginAttempt();
    expect(late.backoffMs()).toBe(50);
  });
});
