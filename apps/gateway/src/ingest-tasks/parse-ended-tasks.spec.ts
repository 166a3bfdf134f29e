import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseEndedTasks } from './parse-ended-tasks.js';

const TASK = '1400000001/ap-singapore/a';
const REQUEST_ID = '71993312-6ab8-4768-9124-118e0a20c45f';
const FIELDS = [TASK, REQUEST_ID, 'endedAt', '12'];

const reply = (...entries: unknown[]): unknown => [['the key', entries]];

describe('a reply of the feed of ended tasks', () => {
  it('has the task, the RequestId and the time of each valid entry, and where to continue', () => {
    expect(parseEndedTasks(reply(['1-0', FIELDS], ['2-1', ['a']], ['2-2', FIELDS]))).toEqual({
      endedTasks: [
        { task: TASK, requestId: REQUEST_ID, endedAt: 12 },
        { task: TASK, requestId: REQUEST_ID, endedAt: 12 },
      ],
      invalid: 1,
      lastId: '2-2',
    });
  });

  it.each([
    ['a RequestId that is not a UUID', [TASK, 'x'.repeat(36), 'endedAt', '12']],
    ['a RequestId with something behind it', [TASK, `${REQUEST_ID}x`, 'endedAt', '12']],
    ['a task without an SdkAppId', ['ap-singapore/a', REQUEST_ID, 'endedAt', '12']],
    ['a task id of 257 characters', [TASK.padEnd(24 + 257, 'a'), REQUEST_ID, 'endedAt', '12']],
    ['a task id with a control character', [`${TASK}\n`, REQUEST_ID, 'endedAt', '12']],
    ['no time', [TASK, REQUEST_ID]],
    ['a negative time', [TASK, REQUEST_ID, 'endedAt', '-1']],
    ['a time of 16 digits', [TASK, REQUEST_ID, 'endedAt', '1'.repeat(16)]],
    ['another name of the time', [TASK, REQUEST_ID, 'time', '12']],
    ['further fields', [...FIELDS, 'a', 'b']],
    ['no fields', null],
  ])('leaves out an entry with %s', (_, fields) => {
    expect(parseEndedTasks(reply(['1-0', fields]))).toEqual({ endedTasks: [], invalid: 1, lastId: '1-0' });
  });

  it('leaves out an entry whose id is invalid, and does not continue there', () => {
    expect(parseEndedTasks(reply(['1-0', FIELDS], ['$', FIELDS]))).toMatchObject({
      invalid: 1,
      lastId: '1-0',
    });
  });

  it('is never an error, whatever it is', () => {
    const replies = fc.oneof(
      fc.anything(),
      fc.array(fc.anything()).map((entries) => reply(...entries)),
      fc.array(fc.array(fc.anything())).map((fields) => reply(...fields.map((each) => ['1-0', each]))),
    );
    fc.assert(
      fc.property(replies, (value) => {
        expect(parseEndedTasks(value).endedTasks).toEqual([]);
      }),
      { numRuns: globalThis.isLongRun ? 50_000 : 5000 },
    );
  });
});
