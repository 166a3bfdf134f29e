import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { KnownOutcomes, type OutcomesElsewhere } from './known-outcomes.js';

// lru-cache holds the real performance object, which the fake timers would replace as a whole.
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
  jest.spyOn(performance, 'now').mockImplementation(() => Date.now());
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

const MINUTE_MS = 60_000;

/** What is known where another replica has told of a task. */
function heardElsewhere(...told: Parameters<Parameters<OutcomesElsewhere['follow']>[0]>): KnownOutcomes {
  return new KnownOutcomes({ follow: (heard) => heard(...told), tell: () => {}, close: () => {} });
}

describe('a task that has ended', () => {
  it('is known for ten minutes, and not after', () => {
    const outcomes = new KnownOutcomes();
    outcomes.ended('a-task', 'a-request');
    jest.advanceTimersByTime(10 * MINUTE_MS - 1);
    expect(outcomes.of('a-task')).toBe('a-request');
    jest.advanceTimersByTime(2);
    expect(outcomes.of('a-task')).toBeUndefined();
  });

  it('is not known longer because it is asked for', () => {
    const outcomes = new KnownOutcomes();
    outcomes.ended('a-task', 'a-request');
    for (let minute = 1; minute < 10; minute += 1) {
      jest.advanceTimersByTime(MINUTE_MS);
      expect(outcomes.of('a-task')).toBe('a-request');
    }
    jest.advanceTimersByTime(MINUTE_MS + 1);
    expect(outcomes.of('a-task')).toBeUndefined();
  });

  it.each([
    ['just now', 0, 10],
    ['nine minutes ago', 9, 1],
    ['in the future, by a clock that is ahead', -5, 10],
  ])('elsewhere %s is known for the rest of the ten minutes', (_, agoMinutes, restMinutes) => {
    const outcomes = heardElsewhere('a-task', 'a-request', agoMinutes * MINUTE_MS);
    jest.advanceTimersByTime(restMinutes * MINUTE_MS - 1);
    expect(outcomes.of('a-task')).toBe('a-request');
    jest.advanceTimersByTime(2);
    expect(outcomes.of('a-task')).toBeUndefined();
  });

  it('elsewhere ten minutes ago is not known', () => {
    const outcomes = heardElsewhere('a-task', 'a-request', 10 * MINUTE_MS);
    expect(outcomes.of('a-task')).toBeUndefined();
  });
});

describe('the tasks that are known', () => {
  it('are the last 10,000', () => {
    const outcomes = new KnownOutcomes();
    for (let n = 0; n <= 10_000; n += 1) outcomes.ended(`task-${n}`, `request-${n}`);
    expect(outcomes.of('task-0')).toBeUndefined();
    expect(outcomes.of('task-1')).toBe('request-1');
    expect(outcomes.of('task-10000')).toBe('request-10000');
  });
});
