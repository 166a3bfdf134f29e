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

/** A cache that has received an entry from another replica. */
function cacheWithReceivedTask(
  ...entry: Parameters<Parameters<EndedTaskFeed['subscribe']>[0]>
): EndedTaskCache {
  return new EndedTaskCache({
    subscribe: (received) => received(...entry),
    publish: () => {},
    close: () => {},
  });
}

describe('EndedTaskCache', () => {
  it('keeps an entry for ten minutes, even if it is read', () => {
    const cache = new EndedTaskCache();
    cache.add('a-task', 'a-request');
    for (let minute = 1; minute < 10; minute += 1) {
      jest.advanceTimersByTime(MINUTE_MS);
      expect(cache.get('a-task')).toBe('a-request');
    }
    jest.advanceTimersByTime(MINUTE_MS - 1);
    expect(cache.get('a-task')).toBe('a-request');
    jest.advanceTimersByTime(2);
    expect(cache.get('a-task')).toBeUndefined();
  });

  it.each([
    ['that ended just now', 0, 10],
    ['that ended nine minutes ago', 9, 1],
    ['that ended in the future, by a clock that is ahead,', -5, 10],
  ])(
    'keeps a task of another replica %s for the rest of the ten minutes',
    (_name, ageMinutes, remainingMinutes) => {
      const cache = cacheWithReceivedTask('a-task', 'a-request', ageMinutes * MINUTE_MS);
      jest.advanceTimersByTime(remainingMinutes * MINUTE_MS - 1);
      expect(cache.get('a-task')).toBe('a-request');
      jest.advanceTimersByTime(2);
      expect(cache.get('a-task')).toBeUndefined();
    },
  );

  it('ignores a task of another replica that ended ten minutes ago', () => {
    const cache = cacheWithReceivedTask('a-task', 'a-request', 10 * MINUTE_MS);
    expect(cache.get('a-task')).toBeUndefined();
  });

  it('keeps the last 10,000 entries', () => {
    const cache = new EndedTaskCache();
    for (let n = 0; n <= 10_000; n += 1) cache.add(`task-${n}`, `request-${n}`);
    expect(cache.get('task-0')).toBeUndefined();
    expect(cache.get('task-1')).toBe('request-1');
    expect(cache.get('task-10000')).toBe('request-10000');
  });
});
