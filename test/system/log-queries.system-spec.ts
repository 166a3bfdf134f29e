import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTempFolder } from '../support/callers-file.js';
import { type Program, resolveProgram } from '../support/programs.js';
import { runScenario, type ScenarioResult } from '../support/scenario.js';

const JQ: Program = { name: 'jq', packages: ['jq'], installHint: 'macOS: brew install jq.' };

let scenario: ScenarioResult;
let folder: Awaited<ReturnType<typeof createTempFolder>>;

beforeAll(async () => {
  scenario = await runScenario();
  folder = await createTempFolder();
  await writeFile(join(folder.path, 'gateway.log'), scenario.log);
}, 120_000);

afterAll(() => folder.remove());

/** Runs the query of docs/logs.md about tasks of this outcome, as it stands there, for another task. */
async function runQuery(outcome: string, taskId: string): Promise<Record<string, unknown>[]> {
  const document = await readFile('docs/logs.md', 'utf8');
  const queries = [...document.matchAll(/^jq -c '([^']+)' gateway\.log$/gm)].map(([, query]) => query!);
  const query = queries.find((each) => each.includes(`"${outcome}"`))!;
  const { stdout } = await promisify(execFile)(
    resolveProgram(JQ),
    ['-c', query.replace('"1234"', JSON.stringify(taskId)), 'gateway.log'],
    { cwd: folder.path },
  );
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const row = (response: string): unknown => scenario.responses[response]!.body!['requestId'];

describe('the queries of docs/logs.md, run by jq over the log of a gateway', () => {
  it('find who stopped a task, when, and with which RequestId', async () => {
    expect(await runQuery('stopped', 'plain')).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        caller: 'studio',
        result: 'stopped',
        upstreamRequestId: row('plain'),
        requestId: 'plain-1',
        coalesced: null,
      },
      expect.objectContaining({ caller: 'rooms', coalesced: 'cache', upstreamRequestId: row('plain') }),
    ]);
  });

  it('tell the call that stopped it from one that joined', async () => {
    const found = await runQuery('stopped', 'together');
    expect(found).toHaveLength(2);
    expect(found.filter(({ result, coalesced }) => result === 'stopped' && coalesced === null)).toEqual([
      expect.objectContaining({ caller: 'studio', upstreamRequestId: row('together') }),
    ]);
  });

  it.each([
    ['that the cloud had ended before', 'ended', 'already-finished'],
    ['stopped by a repetition', 'repeated', 'stopped'],
    ['stopped by an attempt whose answer was lost', 'lost-answer', 'stopped'],
    ['whose caller left after it was sent', 'left-late', 'stopped'],
  ])('find a task %s', async (_, taskId, result) => {
    expect(await runQuery('stopped', taskId)).toEqual([
      expect.objectContaining({ caller: 'studio', result, upstreamRequestId: expect.any(String) }),
    ]);
  });

  it('find nobody for a task that was not stopped', async () => {
    for (const taskId of ['nobodys', 'left-early', 'silence', 'broken'])
      expect(await runQuery('stopped', taskId)).toEqual([]);
  });

  it('find those that may have stopped a task of which nobody can say', async () => {
    expect(await runQuery('unknown', 'silence')).toEqual([
      expect.objectContaining({ caller: 'studio', result: 'upstream-timeout', attempts: expect.any(Array) }),
    ]);
    expect(await runQuery('unknown', 'plain')).toEqual([]);
  });
});
