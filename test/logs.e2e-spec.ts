import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type LoggedEvent, loggedEvents } from './support/logged-events.js';
import { liveThrough, type Story } from './support/story.js';

let story: Story;

beforeAll(async () => {
  story = await liveThrough();
}, 120_000);

const stops = (taskId?: string) =>
  story.lines.filter((line) => line['event'] === 'stop' && (!taskId || line['taskId'] === taskId));
const requestIdOf = (answer: string) => story.answers[answer]!.body!['requestId'];

describe('the line of a call tells who stopped what, and with which RequestId', () => {
  it('when all is well', () => {
    expect(stops('plain')[0]).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      event: 'stop',
      requestId: 'plain-1',
      caller: 'studio',
      taskId: 'plain',
      sdkAppId: 1400000001,
      region: 'ap-singapore',
      result: 'stopped',
      outcome: 'stopped',
      status: 200,
      attempts: 1,
      waitMs: expect.any(Number),
      upstreamMs: expect.any(Number),
      durationMs: expect.any(Number),
      upstreamCode: 'OK',
      upstreamRequestId: requestIdOf('plain'),
      msg: 'stop: stopped',
    });
  });

  it('when the task is known to have ended: the RequestId is that of the call that ended it', () => {
    const [, remembered] = stops('plain');
    expect(remembered).toMatchObject({
      caller: 'rooms',
      result: 'already-finished',
      coalesced: 'remembered',
      attempts: 0,
      upstreamMs: 0,
      upstreamRequestId: requestIdOf('plain'),
    });
    expect(remembered).not.toHaveProperty('upstreamCode');
  });

  it('when the cloud says that it had ended', () => {
    expect(stops('ended')).toEqual([
      expect.objectContaining({
        result: 'already-finished',
        outcome: 'stopped',
        upstreamCode: 'FailedOperation.TaskFinished',
        upstreamRequestId: requestIdOf('ended'),
      }),
    ]);
  });

  it('when two share one call: it is the same, and its figures stand in both lines', () => {
    const [joined, first] = stops('together').toSorted((a) => (a['coalesced'] ? -1 : 1));
    expect(first).toMatchObject({
      caller: 'studio',
      requestId: 'together-1',
      result: 'stopped',
      attempts: 1,
    });
    expect(first).not.toHaveProperty('coalesced');
    expect(joined).toMatchObject({
      caller: 'rooms',
      requestId: 'together-2',
      coalesced: 'joined',
      attempts: 1,
    });
    expect(joined!['upstreamRequestId']).toBe(first!['upstreamRequestId']);
    expect(joined!['upstreamMs']).toBe(first!['upstreamMs']);
    expect(first!['upstreamRequestId']).toBe(requestIdOf('together'));
  });

  it('when it took several attempts: each has its code and its RequestId', () => {
    const [arrival, second] = story.sandbox.receivedRequests().filter(({ taskId }) => taskId === 'repeated');
    expect(second).toBeDefined();
    expect(arrival).toBeDefined();
    expect(stops('repeated')).toEqual([
      expect.objectContaining({
        result: 'stopped',
        attempts: 2,
        course: [
          { code: 'InternalError', requestId: expect.stringMatching(/^[\w-]{36}$/), ms: expect.any(Number) },
          { code: 'OK', requestId: requestIdOf('repeated'), ms: expect.any(Number) },
        ],
      }),
    ]);
  });

  it('when an answer was lost and the repetition finds the task ended', () => {
    expect(stops('lost-answer')).toEqual([
      expect.objectContaining({
        result: 'stopped',
        attempts: 2,
        upstreamCode: 'FailedOperation.TaskFinished',
        course: [
          { code: 'timeout', ms: expect.any(Number) },
          expect.objectContaining({ code: 'FailedOperation.TaskFinished' }),
        ],
      }),
    ]);
  });

  it('when the cloud refuses, or never answers', () => {
    expect(stops('nobodys')).toEqual([
      expect.objectContaining({
        result: 'task-not-found',
        outcome: 'not-stopped',
        status: 404,
        upstreamCode: 'InvalidParameter.TaskId',
      }),
    ]);
    const [silence] = stops('silence');
    expect(silence).toMatchObject({ result: 'upstream-timeout', outcome: 'unknown', status: 504 });
    expect((silence!['course'] as unknown[]).length).toBe(silence!['attempts']);
    expect(silence).not.toHaveProperty('upstreamRequestId');
  });

  it('when the caller leaves: before anything is sent, or after', () => {
    expect(stops('left-early')).toEqual([
      expect.objectContaining({ result: 'withdrawn', outcome: 'not-sent', attempts: 0, callerLeft: true }),
    ]);
    expect(stops('left-early')[0]!['waitMs']).toBeGreaterThan(0);
    expect(stops('left-late')).toEqual([
      expect.objectContaining({
        result: 'stopped',
        attempts: 1,
        callerLeft: true,
        upstreamRequestId: expect.any(String),
      }),
    ]);
  });

  it('and as many attempts stand in the lines of those who did not join as arrived at the cloud', () => {
    const attempts = stops()
      .filter((line) => line['coalesced'] !== 'joined')
      .reduce((sum, line) => sum + Number(line['attempts']), 0);
    expect(attempts).toBe(story.sandbox.receivedRequests().length);
  });
});

/** The rows of the tables whose first column has this title. */
const rows = async (title: string): Promise<string[][]> => {
  const [, table = ''] = (await readFile('docs/logs.md', 'utf8')).split(new RegExp(`^\\| ${title} .*$`, 'm'));
  return table
    .split('\n')
    .slice(
      2,
      table.split('\n').findIndex((line, at) => at > 0 && line === ''),
    )
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', ''))
        .slice(1, -1),
    );
};

const byName = (a: LoggedEvent, b: LoggedEvent): number => (a.event < b.event ? -1 : 1);

describe('docs/logs.md', () => {
  it('names every field that the line of a call can have, and no other', async () => {
    const always = new Set(['level', 'time', 'event', 'msg']);
    const emitted = new Set(
      stops()
        .flatMap((line) => Object.keys(line))
        .filter((key) => !always.has(key)),
    );
    expect([...emitted].toSorted()).toEqual((await rows('field')).map(([field]) => String(field)).toSorted());
  });

  it('says truly which fields are always there', async () => {
    for (const [field, there] of await rows('field'))
      if (there === 'always') for (const line of stops()) expect(line).toHaveProperty(field!);
  });

  it('names every other event with its level, and no other', async () => {
    const documented = (await rows('event')).map(([event, level]): LoggedEvent => ({
      event: event!,
      level: level!,
    }));
    const emitted = await loggedEvents('apps/gateway/src');
    expect(emitted.length).toBeGreaterThan(10);
    expect([...documented, { event: 'stop', level: 'info' }].toSorted(byName)).toEqual(
      emitted.toSorted(byName),
    );
  });
});
