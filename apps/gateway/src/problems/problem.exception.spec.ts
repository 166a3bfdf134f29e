import { describe, expect, it } from '@jest/globals';
import { PROBLEM_CODES } from '../../../../test/contract/problem-codes.js';
import { ProblemException } from './problem.exception.js';
import type { ProblemCode } from './problem-table.js';

describe('ProblemException.body', () => {
  it.each(Object.keys(PROBLEM_CODES) as ProblemCode[])(
    'serializes the document of %s for any instance',
    (code) => {
      for (const instance of ['one', 'a "quoted" \\one', 'the instance'])
        expect(new ProblemException(code).body(instance)).toBe(
          JSON.stringify(new ProblemException(code).document(instance)),
        );
    },
  );

  it('contains the errors and the error of the cloud', () => {
    const details = {
      errors: [{ in: 'query', name: 'region', message: 'is not one' }],
      upstream: { code: 'InternalError', requestId: 'r' },
    } as const;
    expect(JSON.parse(new ProblemException('invalid-request', details).body('one'))).toMatchObject(details);
  });
});

describe('ProblemException', () => {
  it('records no stack, and leaves the stack of the next error as it was', () => {
    const { stackTraceLimit } = Error;
    const problem = new ProblemException('quota-exhausted');
    expect(problem.stack).not.toContain('\n    at ');
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
    expect(new Error('next').stack).toContain('\n    at ');
  });

  it.each([
    [0, '1'],
    [1, '1'],
    [1000, '1'],
    [1001, '2'],
    [5000, '5'],
  ])('with retryAfterMs %d has the Retry-After header %s', (retryAfterMs, seconds) => {
    expect(new ProblemException('quota-exhausted', { retryAfterMs }).headers()).toEqual({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'retry-after': seconds,
    });
  });

  it.each([
    ['unauthenticated', { 'www-authenticate': 'Bearer' }],
    ['request-timeout', { connection: 'close' }],
    ['request-header-fields-too-large', { connection: 'close' }],
    ['internal-error', {}],
  ] as const)('has the headers of %s', (code, headers) => {
    expect(new ProblemException(code).headers()).toEqual({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...headers,
    });
  });

  it('lists the allowed methods', () => {
    expect(new ProblemException('method-not-allowed', { allow: ['GET', 'HEAD'] }).headers()).toMatchObject({
      allow: 'GET, HEAD',
    });
  });
});
