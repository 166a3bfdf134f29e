import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newFolder } from './support/callers-file.js';
import { type Program, pathOf } from './support/programs.js';
import { liveThrough, type Story } from './support/story.js';

const JQ: Program = { name: 'jq', packages: ['jq'], elsewhere: 'macOS: brew install jq.' };

let story: Story;
let folder: Awaited<ReturnType<typeof newFolder>>;

beforeAll(async () => {
  story = await liveThrough();
  folder = await newFolder();
  await writeFile(join(folder.path, 'gateway.log'), story.log);
}, 120_000);

afterAll(() => folder.remove());

/** Runs the query of docs/logs.md about tasks of this outcome, as it stands there, for another task. */
async function ask(outcome: string, taskId: string): Promise<Record<string, unknown>[]> {
  const document = await readFile('docs/logs.md', 'utf8');
  const queries = [...document.matchAll(/^jq -c '([^']+)' gateway\.log$/gm)].map(([, query]) => query!);
  const query = queries.find((each) => each.includes(`"${outcome}"`))!;
  const { stdout } = await promisify(execFile)(
    pathOf(JQ),
    ['-c', query.replace('"1234"', JSON.stringify(taskId)), 'gateway.log'],
    { cwd: folder.path },
  );
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const told = (answer: string): unknown => story.answers[answer]!.body!['requestId'];

describe('the queries of docs/logs.md, run by jq over the log of a gateway', () => {
  it('find who stopped a task, when, and with which RequestId', async () => {
    expect(await ask('stopped', 'plain')).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        caller: 'studio',
        result: 'stopped',
        upstreamRequestId: told('plain'),
        requestId: 'plain-1',
        coalesced: null,
      },
      expect.objectContaining({ caller: 'rooms', coalesced: 'remembered', upstreamRequestId: told('plain') }),
    ]);
  });

  it('tell the call that stopped it from one that joined', async () => {
    const found = await ask('stopped', 'together');
    expect(found).toHaveLength(2);
    expect(found.filter(({ result, coalesced }) => result === 'stopped' && coalesced === null)).toEqual([
      expect.objectContaining({ caller: 'studio', upstreamRequestId: told('together') }),
    ]);
  });

  it.each([
    ['that the cloud had ended before', 'ended', 'already-finished'],
    ['stopped by a repetition', 'repeated', 'stopped'],
    ['stopped by an attempt whose answer was lost', 'lost-answer', 'stopped'],
    ['whose caller left after it was sent', 'left-late', 'stopped'],
  ])('find a task %s', async (_, taskId, result) => {
    expect(await ask('stopped', taskId)).toEqual([
      expect.objectContaining({ caller: 'studio', result, upstreamRequestId: expect.any(String) }),
    ]);
  });

  it('find nobody for a task that was not stopped', async () => {
    for (const taskId of ['nobodys', 'left-early', 'silence', 'broken'])
      expect(await ask('stopped', taskId)).toEqual([]);
  });

  it('find those that may have stopped a task of which nobody can say', async () => {
    expect(await ask('unknown', 'silence')).toEqual([
      expect.objectContaining({ caller: 'studio', result: 'upstream-timeout', course: expect.any(Array) }),
    ]);
    expect(await ask('unknown', 'plain')).toEqual([]);
  });
});
