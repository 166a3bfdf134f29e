import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PROBLEM_CODES } from '../../../../test/contract/problem-codes.js';
import { REQUEST_ID } from '../http/request-context.js';
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

/** A relative path of RFC 3986 with one segment, without a colon. */
const RELATIVE_REFERENCE = /^(?:[\w.~!$&'()*+,;=@-]|%[\dA-F]{2})+$/;

function instanceOf(requestId: string): string {
  const { instance } = JSON.parse(new ProblemException('task-not-found').body(requestId)) as {
    instance: string;
  };
  return instance;
}

describe('the instance of a problem', () => {
  it.each([
    ['7F000001:8296_7F0', '7F000001%3A8296_7F0'],
    ['|7dc8.1.', '%7C7dc8.1.'],
    ['{x}', '%7Bx%7D'],
    ['a/b?c#d%e', 'a%2Fb%3Fc%23d%25e'],
  ])('encodes the request id %s as %s', (requestId, instance) => {
    expect(instanceOf(requestId)).toBe(instance);
  });

  it('is a URI reference from which the request id can be decoded, for every request id', () => {
    const requestIds = fc.stringMatching(REQUEST_ID);
    fc.assert(
      fc.property(requestIds, (requestId) => {
        const instance = instanceOf(requestId);
        expect(instance).toMatch(RELATIVE_REFERENCE);
        expect(decodeURIComponent(instance)).toBe(requestId);
      }),
      { examples: [['"\\'], ['.'], ['%']] },
    );
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
