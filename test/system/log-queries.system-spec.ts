import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { type Program, resolveProgram } from '../support/programs.js';
import { runScenario } from '../support/scenario.js';
import { tempFolderFixture } from '../support/fixtures.js';

const JQ: Program = { name: 'jq', packages: ['jq'], installHint: 'macOS: brew install jq.' };

const scenario = await runScenario();
const folder = await tempFolderFixture();
await writeFile(join(folder, 'gateway.log'), scenario.log);

/** Runs the query of docs/logs.md for this outcome with another task id. */
async function runQuery(outcome: string, taskId: string): Promise<Record<string, unknown>[]> {
  const document = await readFile('docs/logs.md', 'utf8');
  const queries = [...document.matchAll(/^jq -c '([^']+)' gateway\.log$/gm)].map(([, query]) => query!);
  const query = queries.find((each) => each.includes(`"${outcome}"`))!;
  const { stdout } = await promisify(execFile)(
    resolveProgram(JQ),
    ['-c', query.replace('"1234"', JSON.stringify(taskId)), 'gateway.log'],
    { cwd: folder },
  );
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const upstreamRequestIdOf = (response: string): unknown => scenario.responses[response]!.body!['requestId'];

describe('the jq queries of docs/logs.md', () => {
  it('find the caller, the time and the RequestId of a stop', async () => {
    expect(await runQuery('stopped', 'plain')).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        caller: 'studio',
        result: 'stopped',
        upstreamRequestId: upstreamRequestIdOf('plain'),
        requestId: 'plain-1',
        coalesced: null,
      },
      expect.objectContaining({
        caller: 'rooms',
        coalesced: 'cache',
        upstreamRequestId: upstreamRequestIdOf('plain'),
      }),
    ]);
  });

  it('distinguish the call that stopped a task from a coalesced request', async () => {
    const found = await runQuery('stopped', 'together');
    expect(found).toHaveLength(2);
    expect(found.filter(({ result, coalesced }) => result === 'stopped' && coalesced === null)).toEqual([
      expect.objectContaining({ caller: 'studio', upstreamRequestId: upstreamRequestIdOf('together') }),
    ]);
  });

  it.each([
    ['that had ended before', 'ended', 'already-finished'],
    ['that a retry stopped', 'retried', 'stopped'],
    ['that an attempt with a lost response stopped', 'lost-response', 'stopped'],
    ['whose client disconnected after the call was sent', 'disconnected-late', 'stopped'],
  ])('find a task %s', async (_, taskId, result) => {
    expect(await runQuery('stopped', taskId)).toEqual([
      expect.objectContaining({ caller: 'studio', result, upstreamRequestId: expect.any(String) }),
    ]);
  });

  it('find nothing for a task that was not stopped', async () => {
    for (const taskId of ['unknown-task', 'disconnected-early', 'no-response', 'broken'])
      expect(await runQuery('stopped', taskId)).toEqual([]);
  });

  it('find the calls with an unknown outcome', async () => {
    expect(await runQuery('unknown', 'no-response')).toEqual([
      expect.objectContaining({ caller: 'studio', result: 'upstream-timeout', attempts: expect.any(Array) }),
    ]);
    expect(await runQuery('unknown', 'plain')).toEqual([]);
  });
});
