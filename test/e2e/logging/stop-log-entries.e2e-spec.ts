import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { LOG_EVENTS } from '../../contract/log-events.js';
import { type LoggedEvent, loggedEvents } from '../../support/logged-events.js';
import { runScenario } from '../../support/scenario.js';

const scenario = await runScenario();

const stopEntries = (taskId?: string) =>
  scenario.entries.filter(
    (entry) => entry['event'] === 'stop-completed' && (!taskId || entry['taskId'] === taskId),
  );
const requestIdOf = (response: string) => scenario.responses[response]!.body!['requestId'];

describe('the log entry of a stop', () => {
  it('contains caller, task, result and RequestId of a success', () => {
    expect(stopEntries('plain')[0]).toEqual({
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

  it('contains the RequestId of the call that stopped the task when the task is cached', () => {
    const [, fromCache] = stopEntries('plain');
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

  it('contains already-finished when the upstream returns TaskFinished', () => {
    expect(stopEntries('ended')).toEqual([
      expect.objectContaining({
        result: 'already-finished',
        outcome: 'stopped',
        upstreamCode: 'FailedOperation.TaskFinished',
        upstreamRequestId: requestIdOf('ended'),
      }),
    ]);
  });

  it('contains the same upstream call for two coalesced requests', () => {
    const [joined, first] = stopEntries('together').toSorted((a) => (a['coalesced'] ? -1 : 1));
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

  it('contains code and RequestId of each attempt', () => {
    expect(scenario.sandbox.receivedRequests().filter(({ taskId }) => taskId === 'retried')).toHaveLength(2);
    expect(stopEntries('retried')).toEqual([
      expect.objectContaining({
        result: 'stopped',
        attemptCount: 2,
        attempts: [
          { code: 'InternalError', requestId: expect.stringMatching(/^[\w-]{36}$/), ms: expect.any(Number) },
          { code: 'OK', requestId: requestIdOf('retried'), ms: expect.any(Number) },
        ],
      }),
    ]);
  });

  it('contains stopped when a response was lost and the retry gets TaskFinished', () => {
    expect(stopEntries('lost-response')).toEqual([
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

  it('contains the error code of the upstream, or the timeout', () => {
    expect(stopEntries('unknown-task')).toEqual([
      expect.objectContaining({
        result: 'task-not-found',
        outcome: 'not-stopped',
        status: 404,
        upstreamCode: 'InvalidParameter.TaskId',
      }),
    ]);
    const [timedOut] = stopEntries('no-response');
    expect(timedOut).toMatchObject({ result: 'upstream-timeout', outcome: 'unknown', status: 504 });
    expect((timedOut!['attempts'] as unknown[]).length).toBe(timedOut!['attemptCount']);
    expect(timedOut).not.toHaveProperty('upstreamRequestId');
  });

  it('contains the disconnection of the client, before or after the call was sent', () => {
    expect(stopEntries('disconnected-early')).toEqual([
      expect.objectContaining({
        result: 'cancelled',
        outcome: 'not-sent',
        attemptCount: 0,
        clientDisconnected: true,
      }),
    ]);
    expect(stopEntries('disconnected-early')[0]!['waitMs']).toBeGreaterThan(0);
    expect(stopEntries('disconnected-late')).toEqual([
      expect.objectContaining({
        result: 'stopped',
        attemptCount: 1,
        clientDisconnected: true,
        upstreamRequestId: expect.any(String),
      }),
    ]);
  });

  it('counts as many attempts as the upstream received, without coalesced requests', () => {
    const attempts = stopEntries()
      .filter((entry) => entry['coalesced'] !== 'in_flight')
      .reduce((sum, entry) => sum + Number(entry['attemptCount']), 0);
    expect(attempts).toBe(scenario.sandbox.receivedRequests().length);
  });
});

/** Returns the rows of the table whose first column has this title. */
const readRows = async (title: string): Promise<string[][]> => {
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
const contractEvents = Object.entries(LOG_EVENTS).map(([event, { level }]): LoggedEvent => ({
  event,
  level,
}));

const byName = (a: LoggedEvent, b: LoggedEvent): number => (a.event < b.event ? -1 : 1);

describe('docs/logs.md', () => {
  it('lists exactly the fields of a stop entry, and which of them are always present', async () => {
    const documented = (await readRows('field')).map(
      ([field, presence]) => `${field}${presence === 'always' ? '' : '?'}`,
    );
    const expected = [...required, ...optional.map((field) => `${field}?`)];
    expect(documented.toSorted()).toEqual(expected.toSorted());
  });

  it('lists exactly the other events, with their levels', async () => {
    const documented = (await readRows('event')).map(([event, level]) => ({ event: event!, level: level! }));
    expect([...documented, { event: 'stop-completed', level: 'info' }].toSorted(byName)).toEqual(
      contractEvents.toSorted(byName),
    );
  });

  it('lists the fields of every other event', async () => {
    for (const [event, , meaning = ''] of await readRows('event')) {
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
  it('has exactly the events of the contract', async () => {
    const emitted = await loggedEvents('apps/gateway/src');
    expect(emitted.toSorted(byName)).toEqual(contractEvents.toSorted(byName));
  });

  it('has every field of a stop entry in the contract', () => {
    // Only asynchronous stops have a stopId. Their own test expects it.
    const emitted = new Set([...stopEntries().flatMap((entry) => Object.keys(entry)), 'stopId']);
    expect([...emitted].toSorted()).toEqual(
      ['level', 'time', 'event', 'msg', ...required, ...optional].toSorted(),
    );
  });
});
