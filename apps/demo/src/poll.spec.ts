import { expect, it } from '@jest/globals';
import { until } from './poll.js';

it('asks until the answer is yes, and takes a failure for a no', async () => {
  const answers = [
    () => Promise.reject(new Error('not there yet')),
    () => Promise.resolve(false),
    () => Promise.resolve(true),
  ];
  let asked = 0;
  await until('yes', () => answers[asked++]!(), new AbortController().signal);
  expect(asked).toBe(3);
});

it('ends with the reason for which the show is over', async () => {
  const over = AbortSignal.abort(new Error('the gateway ended with exit code 1'));
  await expect(until('yes', () => Promise.resolve(false), over)).rejects.toThrow(
    'the gateway ended with exit code 1',
  );
});
