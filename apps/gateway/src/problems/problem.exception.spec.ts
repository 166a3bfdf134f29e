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
