import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { LOG_EVENTS } from '../../contract/log-events.js';
import { type LoggedEvent, loggedEvents } from '../../support/logged-events.js';
import { runScenario, type ScenarioResult } from '../../support/scenario.js';

let scenario: ScenarioResult;

beforeAll(async () => {
  scenario = await runScenario();
}, 120_000);

const stops = (taskId?: string) =>
  scenario.lines.filter(
    (line) => line['event'] === 'stop-completed' && (!taskId || line['taskId'] === taskId),
  );
const requestIdOf = (response: string) => scenario.responses[response]!.body!['requestId'];

describe('the line of a call tells who stopped what, and with which RequestId', () => {
  it('when all is well', () => {
    expect(stops('plain')[0]).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      event: 'stop-completed',
      requestId: 'plain-1',
      caller: 'studio',
      taskId: 'plain',
      sdkAppId: 1400000001,
      region: 'ap-singapore',
      result: 'stopped',
      outcome: 'stopped',
      status: 200,
      attemptCount: 1,
      waitMs: expect.any(Number),
      upstreamMs: expect.any(Number),
      durationMs: expect.any(Number),
      upstreamCode: 'OK',
      upstreamRequestId: requestIdOf('plain'),
      msg: 'stop: stopped',
    });
  });

  it('when the task is known to have ended: the RequestId is that of the call that ended it', () => {
    const [, fromCache] = stops('plain');
    expect(fromCache).toMatchObject({
      caller: 'rooms',
      result: 'already-finished',
      coalesced: 'cache',
      attemptCount: 0,
      upstreamMs: 0,
      upstreamRequestId: requestIdOf('plain'),
    });
    expect(fromCache).not.toHaveProperty('upstreamCode');
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
      attemptCount: 1,
    });
    expect(first).not.toHaveProperty('coalesced');
    expect(joined).toMatchObject({
      caller: 'rooms',
      requestId: 'together-2',
      coalesced: 'in_flight',
      attemptCount: 1,
    });
    expect(joined!['upstreamRequestId']).toBe(first!['upstreamRequestId']);
    expect(joined!['upstreamMs']).toBe(first!['upstreamMs']);
    expect(first!['upstreamRequestId']).toBe(requestIdOf('together'));
  });

  it('when it took several attempts: each has its code and its RequestId', () => {
    expect(scenario.sandbox.receivedRequests().filter(({ taskId }) => taskId === 'repeated')).toHaveLength(2);
    expect(stops('repeated')).toEqual([
      expect.objectContaining({
        result: 'stopped',
        attemptCount: 2,
        attempts: [
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
        attemptCount: 2,
        upstreamCode: 'FailedOperation.TaskFinished',
        attempts: [
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
    const [timedOut] = stops('silence');
    expect(timedOut).toMatchObject({ result: 'upstream-timeout', outcome: 'unknown', status: 504 });
    expect((timedOut!['attempts'] as unknown[]).length).toBe(timedOut!['attemptCount']);
    expect(timedOut).not.toHaveProperty('upstreamRequestId');
  });

  it('when the caller leaves: before anything is sent, or after', () => {
    expect(stops('left-early')).toEqual([
      expect.objectContaining({
        result: 'cancelled',
        outcome: 'not-sent',
        attemptCount: 0,
        clientDisconnected: true,
      }),
    ]);
    expect(stops('left-early')[0]!['waitMs']).toBeGreaterThan(0);
    expect(stops('left-late')).toEqual([
      expect.objectContaining({
        result: 'stopped',
        attemptCount: 1,
        clientDisconnected: true,
        upstreamRequestId: expect.any(String),
      }),
    ]);
  });

  it('and as many attempts stand in the lines of those who did not join as arrived at the cloud', () => {
    const attempts = stops()
      .filter((line) => line['coalesced'] !== 'in_flight')
      .reduce((sum, line) => sum + Number(line['attemptCount']), 0);
    expect(attempts).toBe(scenario.sandbox.receivedRequests().length);
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
        .map((cell, at) => (at === 1 ? cell.trim().replaceAll('`', '') : cell.trim()))
        .slice(1, -1),
    );
};

const { required, optional = [] } = LOG_EVENTS['stop-completed']!;
const table = Object.entries(LOG_EVENTS).map(([event, { level }]): LoggedEvent => ({ event, level }));

const byName = (a: LoggedEvent, b: LoggedEvent): number => (a.event < b.event ? -1 : 1);

describe('docs/logs.md', () => {
  it('names every field that the entry of a call can have, says which are always there, and names no other', async () => {
    const documented = (await rows('field')).map(
      ([field, there]) => `${field}${there === 'always' ? '' : '?'}`,
    );
    const expected = [...required, ...optional.map((field) => `${field}?`)];
    expect(documented.toSorted()).toEqual(expected.toSorted());
  });

  it('names every other event with its level, and no other', async () => {
    const documented = (await rows('event')).map(([event, level]) => ({ event: event!, level: level! }));
    expect([...documented, { event: 'stop-completed', level: 'info' }].toSorted(byName)).toEqual(
      table.toSorted(byName),
    );
  });

  it('names the fields of every other event', async () => {
    for (const [event, , meaning = ''] of await rows('event')) {
      const named = new Set(Array.from(meaning.matchAll(/`([a-z]\w+)`/gi), ([, field]) => field!));
      const fields = [...LOG_EVENTS[event!]!.required, ...(LOG_EVENTS[event!]!.optional ?? [])];
      expect({ event, undocumented: fields.filter((field) => !named.has(field)) }).toEqual({
        event,
        undocumented: [],
      });
    }
  });
});

describe('the log', () => {
  it('has no other events than those of the table', async () => {
    const emitted = await loggedEvents('apps/gateway/src');
    expect(emitted.toSorted(byName)).toEqual(table.toSorted(byName));
  });

  it('has every field of the entry of a call that the table names', () => {
    const emitted = new Set(stops().flatMap((line) => Object.keys(line)));
    expect([...emitted].toSorted()).toEqual(
      ['level', 'time', 'event', 'msg', ...required, ...optional].toSorted(),
    );
  });
});
