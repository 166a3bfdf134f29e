import { describe, expect, it } from '@jest/globals';
import { backoffMs } from './backoff.js';
import { isDurable, parseDurability } from './redis-durability.js';
import { createStopId, creationTimeOf, isStopId } from './stop-id.js';
import { parseFinishedRecord, parsePendingRecord } from './stop-record.js';

const PENDING = {
  taskId: 'a+b/c=',
  sdkAppId: 1400000001,
  region: 'ap-singapore',
  isSdkAppIdFromCaller: false,
  createdAt: '2026-01-31T12:00:00.000Z',
  acceptedAtMs: 5,
  attempts: 0,
  ineffectiveStarts: 0,
};
const FINISHED = {
  status: 'failed',
  failure: { code: 'task-not-found', upstream: { code: 'x', requestId: 'y' }, isOutcomeUnknown: false },
  attempts: 1,
  finishedAt: '2026-01-31T12:00:01.000Z',
  finishedAtMs: 1005,
};

describe('a record that is read from Redis', () => {
  it('is valid if it has every field', () => {
    expect(parsePendingRecord(JSON.stringify(PENDING))).toEqual(PENDING);
    expect(parseFinishedRecord(JSON.stringify(FINISHED))).toEqual(FINISHED);
  });

  it.each([
    ['taskId', 'line\nbreak'],
    ['taskId', 'x'.repeat(257)],
    ['sdkAppId', -1],
    ['sdkAppId', '1400000001'],
    ['region', 'ap-tokyo'],
    ['isSdkAppIdFromCaller', 1],
    ['createdAt', 'yesterday'],
    ['acceptedAtMs', null],
    ['attempts', 0.5],
    ['ineffectiveStarts', undefined],
    ['traceparent', 7],
  ])('is not a pending stop with the %s %p', (field, value) => {
    expect(parsePendingRecord(JSON.stringify({ ...PENDING, [field]: value }))).toBeUndefined();
  });

  it.each([
    ['status', 'pending'],
    ['status', 'lost'],
    ['failure', { code: 'no-such-code', isOutcomeUnknown: false }],
    ['failure', { code: 'task-not-found' }],
    ['failure', undefined],
    ['requestId', 7],
    ['finishedAtMs', 'now'],
  ])('is not a finished stop with the %s %p', (field, value) => {
    expect(parseFinishedRecord(JSON.stringify({ ...FINISHED, [field]: value }))).toBeUndefined();
  });

  it('is not valid if it is no object or too long', () => {
    for (const text of ['', '7', 'null', '[]', '{', JSON.stringify({ ...PENDING, filler: 'x'.repeat(9000) })])
      expect(parsePendingRecord(text)).toBeUndefined();
  });
});

describe('an id of a stop', () => {
  it('contains the time of its creation, and sorts by it', () => {
    const ids = [1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000].map(createStopId);
    expect(ids.every(isStopId)).toBe(true);
    expect(ids.toSorted()).toEqual(ids);
    expect(ids.map(creationTimeOf)).toEqual([1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000]);
  });

  it('is not the name of another key', () => {
    for (const name of ['', 'meta', 'wait', 'de:x', '0', '../x']) expect(isStopId(name)).toBe(false);
  });
});

describe('the backoff', () => {
  it('doubles up to one minute, and half of it is random', () => {
    expect([1, 2, 3, 7, 8, 100].map((attempts) => backoffMs(attempts, 0))).toEqual([
      500, 1000, 2000, 30_000, 30_000, 30_000,
    ]);
    expect(backoffMs(100, 1)).toBe(60_000);
  });
});

describe('the durability of Redis', () => {
  it.each([
    ['aof_enabled:1\r\nmaxmemory_policy:noeviction\r\n', true],
    ['aof_enabled:1\r\n', true],
    ['aof_enabled:0\r\nmaxmemory_policy:noeviction\r\n', false],
    ['aof_enabled:1\r\nmaxmemory_policy:allkeys-lru\r\n', false],
    ['', false],
  ])('of %j is %p', (info, expected) => {
    expect(isDurable(parseDurability(info))).toBe(expected);
  });
});
