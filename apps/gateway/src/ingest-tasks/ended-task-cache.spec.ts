import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EndedTaskCache, type EndedTaskFeed } from './ended-task-cache.js';

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
function heardElsewhere(...told: Parameters<Parameters<EndedTaskFeed['subscribe']>[0]>): EndedTaskCache {
  return new EndedTaskCache({ subscribe: (heard) => heard(...told), publish: () => {}, close: () => {} });
}

describe('a task that has ended', () => {
  it('is known for ten minutes, and not after', () => {
    const outcomes = new EndedTaskCache();
    outcomes.add('a-task', 'a-request');
    jest.advanceTimersByTime(10 * MINUTE_MS - 1);
    expect(outcomes.get('a-task')).toBe('a-request');
    jest.advanceTimersByTime(2);
    expect(outcomes.get('a-task')).toBeUndefined();
  });

  it('is not known longer because it is asked for', () => {
    const outcomes = new EndedTaskCache();
    outcomes.add('a-task', 'a-request');
    for (let minute = 1; minute < 10; minute += 1) {
      jest.advanceTimersByTime(MINUTE_MS);
      expect(outcomes.get('a-task')).toBe('a-request');
    }
    jest.advanceTimersByTime(MINUTE_MS + 1);
    expect(outcomes.get('a-task')).toBeUndefined();
  });

  it.each([
    ['just now', 0, 10],
    ['nine minutes ago', 9, 1],
    ['in the future, by a clock that is ahead', -5, 10],
  ])('elsewhere %s is known for the rest of the ten minutes', (_, agoMinutes, restMinutes) => {
    const outcomes = heardElsewhere('a-task', 'a-request', agoMinutes * MINUTE_MS);
    jest.advanceTimersByTime(restMinutes * MINUTE_MS - 1);
    expect(outcomes.get('a-task')).toBe('a-request');
    jest.advanceTimersByTime(2);
    expect(outcomes.get('a-task')).toBeUndefined();
  });

  it('elsewhere ten minutes ago is not known', () => {
    const outcomes = heardElsewhere('a-task', 'a-request', 10 * MINUTE_MS);
    expect(outcomes.get('a-task')).toBeUndefined();
  });
});

describe('the tasks that are known', () => {
  it('are the last 10,000', () => {
    const outcomes = new EndedTaskCache();
    for (let n = 0; n <= 10_000; n += 1) outcomes.add(`task-${n}`, `request-${n}`);
    expect(outcomes.get('task-0')).toBeUndefined();
    expect(outcomes.get('task-1')).toBe('request-1');
    expect(outcomes.get('task-10000')).toBe('request-10000');
  });
});
